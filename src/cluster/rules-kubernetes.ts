import { controlPlaneComponents } from './cluster.ts';
import { componentKeys, defaults } from './defaults.ts';
import { error, type Path, type Problem, warning } from './mistake.ts';
import type { Rule } from './rules.ts';
import { hostsOf, withRole } from './rules-hosts.ts';
import type { Draft } from './schema.ts';
import { isOlder, minorOf } from './version.ts';

/** What kbin has units and flags for: src/desired/components. */
export const knownKubernetes = { oldest: '1.20', newest: '1.36' } as const;

/** Whether there will be a Kubernetes: an etcd alone has no services, no pods, and no use for these settings. */
export function wantsControlPlane(draft: Draft): boolean {
  return draft.kubernetes?.version !== undefined && withRole(draft, 'control-plane').length > 0;
}

export const kubernetesRules: readonly Rule[] = [
  function* version({ kubernetes }) {
    const given = kubernetes?.version;
    if (given === undefined) return;
    const { oldest, newest } = knownKubernetes;
    const path = ['kubernetes', 'version'];
    const after = `${newest}.99999`;
    if (isOlder(given, `${oldest}.0`)) {
      yield error(path, `Kubernetes ${given} is too old: kbin knows ${oldest} to ${newest}`);
    } else if (isOlder(after, given)) {
      const text = `Kubernetes ${minorOf(given)} is newer than kbin knows (${oldest} to ${newest}): flags may have come and gone`;
      yield warning(path, text);
    }
  },

  /** https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/#providers */
  function* encryption(draft) {
    const { encryption } = draft.kubernetes ?? {};
    if (encryption === undefined) return;
    const { provider = defaults.kubernetes.encryption.provider, resources } = encryption;
    const path = ['kubernetes', 'encryption'];
    if (provider === 'off') {
      if (wantsControlPlane(draft)) {
        yield warning([...path, 'provider'], 'Secrets lie in etcd and its snapshots as plain text');
      }
      return;
    }
    const weak = weakness[provider as keyof typeof weakness];
    if (weak !== undefined) yield warning([...path, 'provider'], `${provider} ${weak}; use secretbox`);
    if (resources?.length === 0) {
      yield error(
        [...path, 'resources'],
        'nothing to encrypt; name resources such as secrets, or write encryption: off',
      );
    } else if (resources?.every((name) => name !== undefined && name !== 'secrets')) {
      yield warning([...path, 'resources'], 'secrets are not among them, and lie in etcd as plain text');
    }
    const names = resources ?? [];
    for (const [index, name] of names.entries()) {
      const first = names.indexOf(name);
      if (name === undefined || first === index) continue;
      yield error([...path, 'resources', index], `"${name}" is there twice`, [...path, 'resources', first]);
    }
  },

  function* flagNames({ kubernetes }) {
    for (const component of controlPlaneComponents) {
      const key = componentKeys[component];
      for (const [flag, values] of Object.entries(kubernetes?.[key]?.flags ?? {})) {
        const path = ['kubernetes', key, 'flags', flag];
        const plain = flagName(flag);
        if (plain !== flag) {
          const meant = plain === undefined ? '' : `; write ${plain}`;
          yield { ...error(path, `"${flag}" is not the name of a flag${meant}`), at: 'key' };
        } else if (values?.length === 0) {
          yield error(path, 'a flag without a value; leave the line out for its default');
        }
      }
    }
  },

  /** An account of its own keeps one component's keys and files from the others. */
  function* accounts({ etcd, kubernetes }) {
    const etcdUser = etcd?.user ?? defaults.etcd.user;
    const etcdGroup = etcd?.group ?? defaults.etcd.group;
    for (const component of controlPlaneComponents) {
      const key = componentKeys[component];
      const user = kubernetes?.[key]?.user;
      const path = ['kubernetes', key, 'user'];
      if (user === undefined) continue;
      if (user === 'root') yield warning(path, `${component} needs no rights of root`);
      else if (user === etcdUser && user !== etcdGroup) {
        const text = `"${user}" has the group ${etcdGroup} as etcd's user, and the group ${user} here`;
        yield error(path, text, ['etcd', 'group']);
      } else if (user === etcdUser) yield warning(path, `${component} could read etcd's data and keys`);
    }
  },

  /** Names of the cluster's own domain are asked of its DNS service, which knows no hosts. */
  function* namesOutsideDnsDomain(draft) {
    if (!wantsControlPlane(draft)) return;
    const domain = draft.kubernetes?.dnsDomain ?? defaults.kubernetes.dnsDomain;
    const names: (readonly [Path, string | undefined])[] = [
      ...hostsOf(draft).map(([index, { name }]) => [['hosts', index, 'name'], name] as const),
      [['endpoint', 'address'], draft.endpoint?.address],
    ];
    for (const [path, name] of names) {
      if (name === domain || name?.endsWith(`.${domain}`)) yield insideDomain(path, name, domain);
    }
  },
];

const weakness = {
  aescbc: 'is open to padding-oracle attacks',
  aesgcm: 'is safe for 200,000 writes with one key',
} as const;

/** As the command line takes it, without dashes in front; undefined when nothing can be made of it. */
function flagName(text: string): string | undefined {
  const plain = text
    .replace(/^-+/, '')
    .replaceAll('_', '-')
    .replaceAll(/(?<=[a-z0-9])[A-Z]/g, (capital) => `-${capital}`)
    .toLowerCase();
  return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(plain) ? plain : undefined;
}

function insideDomain(path: Path, name: string, domain: string): Problem {
  return warning(
    path,
    `"${name}" lies in kubernetes.dnsDomain (${domain}): pods would ask the cluster for it`,
  );
}
