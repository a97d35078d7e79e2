import type { EtcdSettings } from '../../cluster/cluster.ts';
import { compareMinors, type Version, versionOf } from '../../cluster/version.ts';
import { etcdKnows, lifeText } from './etcd-flags.ts';
import { etcdSettings } from './etcd-settings.ts';

export interface EnvironmentMistake {
  readonly variable: string;
  readonly why: string;
}

export interface EnvironmentCheck {
  /** These would break kbin's wiring, or etcd would not start: nothing is deployed with them. */
  readonly refused: readonly EnvironmentMistake[];
  /** These do nothing in the chosen release: etcd warns of them and goes on. */
  readonly unknown: readonly EnvironmentMistake[];
}

/** Looks at `etcd.environment` of cluster.yaml. Pure; src/diff makes findings of it, desire() refuses. */
export function checkEtcdEnvironment(etcd: Pick<EtcdSettings, 'version' | 'environment'>): EnvironmentCheck {
  const version = versionOf(etcd.version);
  const entries = Object.entries(etcd.environment);
  const refused = entries.flatMap(([variable, value]) => {
    const why = refusal(variable, value, version);
    return why === undefined ? [] : [{ variable, why }];
  });
  const unknown = entries.flatMap(([variable]) => {
    if (refused.some((mistake) => mistake.variable === variable) || isRuntime(variable)) return [];
    return etcdKnows(variable, version) ? [] : [{ variable, why: unknownText(variable, etcd.version) }];
  });
  return { refused, unknown };
}

function refusal(variable: string, value: string, version: Version): string | undefined {
  if (!/^[A-Z][A-Z0-9_]*$/.test(variable)) return 'a variable is written in capitals, digits and underscores';
  if (!variable.startsWith('ETCD_') && !isRuntime(variable)) {
    return 'only ETCD_ variables and those of the Go runtime (GOMAXPROCS, GOGC, GODEBUG, GOMEMLIMIT) belong here';
  }
  const wiring = etcdSettings.find((setting) => setting.variable === variable)?.wiring;
  return wiring ?? refusedFurther[variable] ?? gateMistake(variable, value, version);
}

const goRuntime = ['GOMAXPROCS', 'GOGC', 'GODEBUG', 'GOMEMLIMIT'];

function isRuntime(variable: string): boolean {
  return goRuntime.includes(variable);
}

const membersFromCluster = 'the members are those of cluster.yaml, not what a discovery service says';
const ownCertificates = 'etcd would use other certificates than those that kbin makes, checks and renews';
const noProxy = 'the process would be a proxy and not a member';

/** What kbin does not set itself and what would break it all the same. */
const refusedFurther: Readonly<Record<string, string>> = {
  ETCD_CONFIG_FILE: 'with a configuration file etcd ignores every variable of etcd.conf',
  ETCD_VERSION: 'it is no setting: etcd would print its version',
  ETCD_FORCE_NEW_CLUSTER: 'every start would throw the other members out of the cluster',
  ETCD_UNSAFE_NO_FSYNC: 'acknowledged writes would be lost with the power',
  ETCD_AUTO_TLS: ownCertificates,
  ETCD_PEER_AUTO_TLS: ownCertificates,
  ETCD_CLIENT_CERT_FILE: ownCertificates,
  ETCD_CLIENT_KEY_FILE: ownCertificates,
  ETCD_PEER_CLIENT_CERT_FILE: ownCertificates,
  ETCD_PEER_CLIENT_KEY_FILE: ownCertificates,
  ETCD_CLIENT_CERT_ALLOWED_HOSTNAME: 'client certificates of kbin carry no host name: nobody could connect',
  ETCD_PEER_CERT_ALLOWED_CN:
    'each member’s certificate has its own host’s name as CN: the others would be shut out',
  ETCD_LISTEN_CLIENT_HTTP_URLS: 'kbin and its checks count on one client listener, with TLS',
  ETCD_DISCOVERY: membersFromCluster,
  ETCD_DISCOVERY_SRV: membersFromCluster,
  ETCD_DISCOVERY_ENDPOINTS: membersFromCluster,
  ETCD_DISCOVERY_TOKEN: membersFromCluster,
  ETCD_PROXY: noProxy,
};

/** Feature gates by the first minor that has them (server/features/etcd_features.go). An unknown one stops etcd. */
const gates: Readonly<Record<string, string>> = {
  AllAlpha: '3.6.0',
  AllBeta: '3.6.0',
  CompactHashCheck: '3.6.0',
  InitialCorruptCheck: '3.6.0',
  LeaseCheckpoint: '3.6.0',
  LeaseCheckpointPersist: '3.6.0',
  SetMemberLocalAddr: '3.6.0',
  StopGRPCServiceOnDefrag: '3.6.0',
  TxnModeWriteWithSharedBuffer: '3.6.0',
  FastLeaseKeepAlive: '3.7.0',
};

function gateMistake(variable: string, value: string, version: Version): string | undefined {
  const hasGates = etcdKnows('ETCD_FEATURE_GATES', version);
  if (variable === 'ETCD_EXPERIMENTAL_INITIAL_CORRUPT_CHECK' && hasGates) {
    return `write it as ETCD_FEATURE_GATES: InitialCorruptCheck=${value}; both together keep etcd from starting`;
  }
  if (variable !== 'ETCD_FEATURE_GATES' || !hasGates || value === '') return undefined;
  for (const pair of value.split(',')) {
    const [, gate = '', setting] = /^\s*(\w+)\s*=\s*(true|false)\s*$/.exec(pair) ?? [];
    if (setting === undefined) return `“${pair}” is not GATE=true or GATE=false`;
    const first = gates[gate];
    if (first === undefined || compareMinors(version, versionOf(first)) < 0) {
      return `etcd ${version.major}.${version.minor} has no gate ${gate} and would not start`;
    }
  }
  return undefined;
}

function unknownText(variable: string, version: string): string {
  const life = lifeText(variable);
  return life === undefined
    ? `no etcd has a setting of this name`
    : `etcd ${version} does not have it (it exists ${life})`;
}
