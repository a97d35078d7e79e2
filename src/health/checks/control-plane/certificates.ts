import type { ControlPlaneComponent } from '../../../cluster/cluster.ts';
import type { Check } from '../../check.ts';
import type { ControlPlaneHostEvidence } from '../../control-plane-evidence.ts';
import type { Served } from '../../wire.ts';
import { judgeCertificate, judgeDays } from '../listeners.ts';
import { shortNames } from './components.ts';
import type { ControlPlaneJudgement } from './index.ts';

/** What apiserver, controller-manager and scheduler serve: valid, for this address, and the very one that was issued. */
export const servedCertificates: ControlPlaneJudgement = ({ hosts, now }) => [
  ...hosts.map((seen) =>
    judged(
      'apiserver-certificate',
      'kube-apiserver',
      seen,
      { served: seen.served, why: seen.unserved?.message },
      now,
    ),
  ),
  ...Object.entries(shortNames).flatMap(([component, short]) =>
    hosts.flatMap((seen) =>
      seen.components
        .filter(({ target }) => target.component === component)
        .map(({ target, served, failure }) =>
          judged(`${short}-certificate`, target.component, seen, { served, why: failure?.message }, now),
        ),
    ),
  ),
];

function judged(
  id: string,
  component: ControlPlaneComponent,
  { host }: ControlPlaneHostEvidence,
  { served, why }: { served: Served | undefined; why: string | undefined },
  now: Date,
): Check {
  const base = { id, target: host.name } as const;
  if (served === undefined)
    return { ...base, status: 'skip', message: `not seen: ${why ?? 'it does not answer'}` };
  const check = judgeCertificate(base, served, now, renew(component));
  const issued = host.issued[component];
  const found = served.chain[0]?.fingerprint;
  if (check.status === 'fail' || issued === undefined || found === undefined || found === issued)
    return check;
  return {
    ...base,
    status: 'fail',
    message: `serves another certificate than the one that was issued for it: ${served.chain[0]?.subject} from ${served.chain[0]?.issuer}, serial ${served.chain[0]?.serial}`,
    next: `\`kbin plan\` shows whether the file on the host is another; if it is not, ${component} did not read it: see its journal, and restart it`,
  };
}

function renew(component: ControlPlaneComponent): string {
  return `issue it anew and bring it to the host (\`kbin pki init\`, \`kbin control-plane deploy\`); ${component} reads it by itself within a minute`;
}

/** Days left of those that live in kubeconfigs and in apiservers. */
export const clientCertificates: ControlPlaneJudgement = ({ subject, now }) =>
  subject.clients.map(({ id, certificate }) =>
    judgeDays(
      { id: 'client-certificate', target: id },
      {
        notBefore: certificate.validFromDate,
        notAfter: certificate.validToDate,
        about: certificate.subject.replaceAll('\n', ', '),
      },
      now,
      'issue it anew (`kbin pki init`), and bring it to the hosts (`kbin control-plane deploy`)',
    ),
  );
