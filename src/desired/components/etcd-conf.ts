import conf from '../../../units/etcd/etcd.conf?raw';
import { environmentValue, renderTemplate } from '../template.ts';
import { type EtcdMember, etcdSettings, isSet } from './etcd-settings.ts';

/**
 * The text of a member's etcd.conf: kbin's settings as far as the release knows them, with `etcd.environment` of
 * cluster.yaml over them and, where kbin does not set such a variable, after them.
 */
export function renderEtcdConf(member: EtcdMember): string {
  const { environment } = member.cluster.etcd;
  const own = etcdSettings.map((setting): [string, string | false] => {
    const value = isSet(setting, member.version) ? setting.value(member) : undefined;
    // kbin's feature gates have the user's in them already.
    const override = setting.variable === 'ETCD_FEATURE_GATES' ? value : environment[setting.variable];
    return [setting.variable, override ?? value ?? false];
  });
  const variables = Object.entries(environment)
    .filter(([name]) => !etcdSettings.some((setting) => setting.variable === name))
    .map(([name, value]) => ({ name, value }));
  const { lastRevoked } = member;
  const view = {
    ...Object.fromEntries(own),
    lastRevoked: lastRevoked !== undefined && {
      serial: lastRevoked.serial,
      at: lastRevoked.at.toISOString(),
    },
    further: variables.length > 0 && { variables },
  };
  return renderTemplate(conf, view, environmentValue);
}
