import type { DeployKind } from './deploy-run.ts';

/** Both deploys that there are. */
export const deployKinds = {
  etcd: {
    command: 'kbin etcd deploy',
    role: 'etcd',
    component: 'etcd',
    version: ({ etcd }) => etcd.version,
  },
  'control-plane': {
    command: 'kbin control-plane deploy',
    role: 'control-plane',
    component: 'kubernetes',
    version: ({ kubernetes }) => kubernetes.version ?? '',
  },
} as const satisfies Readonly<Record<string, DeployKind>>;

export type DeployName = keyof typeof deployKinds;
