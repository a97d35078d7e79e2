import { type Cluster, type ClusterHost, hostsWithRole } from '../cluster/cluster.ts';
import { flagValues } from '../desired/flag-values.ts';
import type { StoreView } from '../desired/store-view.ts';
import type { KeyFile } from '../observe/observed.ts';
import type { PlanFinding } from './changes.ts';
import {
  clientAuthority,
  encryptionConfiguration,
  type Former,
  type FormerReading,
  formerEncryption,
  formersOn,
  rootAuthority,
  tokenKeys,
  wantedArgv,
} from './former.ts';
import type { HostSides } from './preflight.ts';
import { keysIn, publicKeys } from './public-keys.ts';
import { formerSettings } from './take-over-settings.ts';

/** What somebody else's control plane is compared with, and what its files hold. */
export interface TakeOver {
  readonly cluster: Cluster;
  readonly store: StoreView;
  readonly readings: readonly FormerReading[];
}

/**
 * Whether units of somebody else can be replaced by kbin's without anything being lost: its objects, its Secrets, its
 * tokens, its clients. Judged by what runs, and by the files that it names. Pure.
 */
export function takeOver(hosts: readonly HostSides[], given: TakeOver): PlanFinding[] {
  const all = hosts.flatMap((side) =>
    formersOn(side.observed, given.cluster.paths.units).map((former) => ({ side, former })),
  );
  return [...all.flatMap(({ side, former }) => judge(side, former, given)), ...formerSettings(all)];
}

function judge(side: HostSides, former: Former, given: TakeOver): PlanFinding[] {
  const { component, argv } = former;
  const unit = `${component}.service`;
  const stop = stopsOn(side.host);
  const dropIns = side.observed.units.get(unit)?.dropIns ?? [];
  if (dropIns.length > 0) {
    const message = `${unit} is changed by ${dropIns.join(', ')}, which would go on changing kbin's`;
    return [
      stop(
        'take-over-drop-in',
        message,
        'put what it says into the unit itself, move it away, and restart the unit',
      ),
    ];
  }
  if (argv === undefined) {
    const message = `${unit} is not kbin's, and no ${component} runs in it: what it would be started with is not known`;
    const next = `start it, so that kbin sees what is to be kept; where nobody needs it, \`systemctl disable --now ${unit}\`, move its file away, \`systemctl daemon-reload\``;
    return [stop('take-over-unknown', message, next)];
  }
  const files = given.readings.find(({ host }) => host === side.host.name)?.files ?? new Map();
  const judged = { argv, files, stop, ...given };
  if (component === 'kube-apiserver') {
    return [
      ...otherEtcd(judged, side),
      ...otherClients(judged),
      ...otherTokens(judged),
      ...unknownEncryption(judged),
    ];
  }
  return component === 'kube-controller-manager' ? otherRoot(judged) : [];
}

interface Judged extends TakeOver {
  readonly argv: readonly string[];
  readonly files: ReadonlyMap<string, KeyFile>;
  readonly stop: ReturnType<typeof stopsOn>;
}

const stopsOn =
  ({ name: host }: ClusterHost) =>
  (code: string, message: string, next: string): PlanFinding => ({
    severity: 'stop',
    host,
    code,
    message,
    next,
  });

/** Other objects would be there all at once, or none. */
function otherEtcd({ argv, cluster, stop }: Judged, { host, desired }: HostSides): PlanFinding[] {
  const wanted = wantedArgv(desired, 'kube-apiserver');
  const own = hostsWithRole(cluster, 'etcd').flatMap(({ name, address }) => [name, address]);
  const here = host.roles.includes('etcd') ? ['localhost', '127.0.0.1', '::1'] : [];
  const ours = [...own, ...here].map((name) =>
    hostIn(name.includes(':') ? `https://[${name}]` : `https://${name}`),
  );
  const servers = flagValues(argv, 'etcd-servers').flatMap((value) => value.split(','));
  const differing = Object.entries({ 'etcd-prefix': 'registry', 'etcd-servers-overrides': '' }).flatMap(
    ([flag, usual]) => {
      const valueIn = (of: readonly string[]) =>
        (flagValues(of, flag).at(-1) ?? usual).replace(/^\/|\/$/g, '');
      return valueIn(argv) === valueIn(wanted) ? [] : [`--${flag}=${flagValues(argv, flag).join(',')}`];
    },
  );
  const differs = [
    ...(servers.some((url) => ours.includes(hostIn(url))) ? [] : [`--etcd-servers=${servers.join(',')}`]),
    ...differing,
  ];
  if (differs.length === 0) return [];
  const message = `its kube-apiserver keeps its objects elsewhere than kbin's would (${differs.join(' ')}): they would not be there any more`;
  const next =
    'name those etcd hosts in cluster.yaml; give prefix and overrides in `kubernetes.apiserver.flags`';
  return [stop('take-over-other-etcd', message, next)];
}

function hostIn(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}

function otherClients(judged: Judged): PlanFinding[] {
  const path = clientAuthority(judged.argv);
  if (path === undefined) return [];
  const found = publicKeys(judged.files.get(path));
  if (found === undefined) return [unread(judged, path, 'by which it lets clients in')];
  const ours = ownAuthorities(judged);
  if (found.every((key) => ours.includes(key))) return [];
  const message = `${path}, by which it lets clients in, has a CA that is not the kubernetes-ca of pki/: everybody with a certificate of it would be refused`;
  const next = `\`kbin pki adopt\` that CA and its key, before \`kbin pki init\`; one that nobody needs any more: take it out of ${path} and restart that apiserver`;
  return [judged.stop('take-over-other-ca', message, next)];
}

/** What pods have goes on, so the CA that kbin's apiservers show has to be among them. */
function otherRoot(judged: Judged): PlanFinding[] {
  const path = rootAuthority(judged.argv);
  if (path === undefined) return [];
  const found = publicKeys(judged.files.get(path));
  if (found === undefined) return [unread(judged, path, 'by which pods know the apiserver')];
  const ours = ownAuthorities(judged);
  if (found.some((key) => ours.includes(key))) return [];
  const message = `${path}, by which pods know the apiserver, has not the kubernetes-ca of pki/: they would not trust it any more`;
  const next = '`kbin pki adopt` that CA and its key, before `kbin pki init`';
  return [judged.stop('take-over-other-ca', message, next)];
}

function otherTokens(judged: Judged): PlanFinding[] {
  const { argv, files, store, stop } = judged;
  const ours = store.serviceAccountKeys().flatMap(({ pem }) => keysIn(pem) ?? []);
  const own = store.key('service-account')?.sha256;
  return tokenKeys(argv).flatMap((path) => {
    const file = files.get(path);
    if (file?.kind === 'keys' && own !== undefined && file.sha256 === own) return [];
    const found = publicKeys(file);
    if (found === undefined) return [unread(judged, path, 'by which it verifies tokens of service accounts')];
    if (found.every((key) => ours.includes(key))) return [];
    const message = `${path}, by which it verifies tokens of service accounts, is not the service-account key of pki/: the tokens that are out there would be refused`;
    const next =
      'adopt the key that signs them, which kube-controller-manager has as --service-account-private-key-file: `kbin pki adopt DIR --as service-account=FILE` with a pki folder that has none yet';
    return [stop('take-over-tokens', message, next)];
  });
}

/** Which keys it has is for src/diff/encryption.ts to judge, where that can be told at all. */
function unknownEncryption(judged: Judged): PlanFinding[] {
  const path = encryptionConfiguration(judged.argv);
  if (path === undefined || formerEncryption(judged.files.get(path)) !== undefined) return [];
  const file = judged.files.get(path);
  const why =
    file?.kind !== 'encryption'
      ? 'is not there any more'
      : file.providers.includes('kms')
        ? 'has a key of KMS, which kbin cannot take over'
        : 'has not one list of providers for all its resources';
  const message = `${path}, with which it encrypts Secrets, ${why}: what lies in etcd could not be read`;
  const next =
    'have one list of providers there with keys of its own, write again what is encrypted, restart that apiserver, and `kbin pki adopt` the file';
  return [judged.stop('take-over-unknown', message, next)];
}

function unread({ stop }: Judged, path: string, what: string): PlanFinding {
  const message = `${path}, ${what}, could not be read, so whether pki/ has the same is not known`;
  const next =
    'see that the file is still there as it was when the unit was started, and that the host has openssl';
  return stop('take-over-unknown', message, next);
}

function ownAuthorities({ store }: Judged): readonly string[] {
  return keysIn(store.trusted('kubernetes-ca') ?? '') ?? [];
}
