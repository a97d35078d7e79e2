import type { DesiredComponent } from '../desired/desired.ts';
import { bundleTarget } from '../desired/desired.ts';
import type { Observed } from '../observe/observed.ts';
import type { PlanFinding, UnreachableHost } from './changes.ts';
import { type EncryptionText, encryptionText, keyOf, nameOfKey } from './encryption-text.ts';
import { isForeign, unitPath } from './foreign.ts';
import { encryptionConfiguration, type FormerReading, formerEncryption } from './former.ts';
import { isComparable } from './paths.ts';
import type { HostSides } from './preflight.ts';
import { isRunning } from './unit.ts';

/** What the apiserver of one host encrypts with, and what it can read. */
interface Encrypting {
  readonly host: string;
  /** undefined: it has never been an apiserver. `unknown`: it is one, and kbin's note of its keys is gone. */
  readonly has: EncryptionText | 'unknown' | undefined;
  readonly wanted: EncryptionText;
  readonly runs: boolean;
  /** The process was started with the files as they are. */
  readonly isSettled: boolean;
  readonly edited: boolean;
  /** Its configuration on the host, where it is not kbin's. */
  readonly former?: string | undefined;
}

const plain: EncryptionText = { providers: ['identity'], retired: [] };

/**
 * Whether apiservers that are told one after the other to encrypt as they should can read each other's Secrets all the
 * while, and everything that is in etcd afterwards. The first provider of a list writes, all of them read. Where there are
 * several lists for a moment, each must have the first of every other.
 */
export function encryption(
  hosts: readonly HostSides[],
  unreachable: readonly UnreachableHost[],
  /** Where units of others are to be replaced: what their files say. */
  formers: readonly FormerReading[] = [],
): PlanFinding[] {
  const all = hosts.flatMap((side) =>
    side.desired.components.flatMap((one) => encrypting(side, one, formers)),
  );
  const lost = all.flatMap(lostKeys);
  if (lost.length > 0) return lost;
  const apart = cannotReadEachOther(all);
  return [
    ...all.flatMap(edited),
    ...all.flatMap(noNote),
    ...all.flatMap(retiredInUse),
    ...all.flatMap(droppedResources),
    // Where that is so already, only carrying it on helps.
    ...(apart.length > 0 ? apart : all.flatMap((one) => cannotRead(one, all))),
    ...firstElsewhere(all, unreachable),
  ];
}

function encrypting(
  { host, observed }: HostSides,
  component: DesiredComponent,
  formers: readonly FormerReading[],
): Encrypting[] {
  if (component.name !== 'kube-apiserver') return [];
  const note = component.files.find(({ path }) => path.endsWith('/encryption-keys.txt'));
  const wanted = note?.content.kind === 'text' ? encryptionText(note.content.text) : plain;
  const unit = observed.units.get(component.unit.name);
  const unitFile = component.files.find(({ path }) => path.endsWith(`/${component.unit.name}`));
  const unitText = observed.paths.get(unitFile?.path ?? '')?.text;
  const runs = isRunning(unit);
  const inputs = /^Environment=KBIN_INPUTS=(\w+)$/m.exec(unitText ?? '')?.[1];
  const text = note === undefined ? undefined : observed.paths.get(note.path)?.text;
  const started = unit?.process;
  const hasFlag =
    started === undefined
      ? (unitText?.includes('--encryption-provider-config=') ?? false)
      : encryptionConfiguration(started.argv) !== undefined;
  const isApiserver = runs || inputs !== undefined;
  const isSettled = unit?.runningInputs !== undefined && unit.runningInputs === inputs;
  const base = { host: host.name, wanted, runs, isSettled };
  if (!isApiserver)
    return [{ ...base, has: text === undefined ? undefined : encryptionText(text), edited: false }];
  // Files that were written and never read: it still is what it was started as.
  if (!hasFlag) return [{ ...base, has: plain, isSettled: true, edited: false }];
  if (isForeign(observed, component.unit.name, unitPath(component))) {
    const former = encryptionConfiguration(started?.argv ?? []);
    const files = formers.find((reading) => reading.host === host.name)?.files;
    const has = former === undefined ? undefined : formerEncryption(files?.get(former));
    // What cannot be told of it stops everything by a rule of its own.
    return has === undefined ? [] : [{ ...base, has, isSettled: true, edited: false, former }];
  }
  const file = secretFile(observed, component);
  if (text === undefined) {
    // A first run that was cut off before any of it was there.
    const has = file === 'same' ? wanted : file === 'absent' && !runs ? undefined : 'unknown';
    return [{ ...base, has, edited: false }];
  }
  return [{ ...base, has: encryptionText(text), edited: file === 'edited' }];
}

/** The encryption configuration itself, of which nothing but its digest is known here. */
function secretFile(
  observed: Observed,
  { bundles }: DesiredComponent,
): 'absent' | 'same' | 'edited' | 'other' {
  const bundle = bundles.find(({ files }) => files.some(({ path }) => path === 'encryption.yaml'));
  const file = bundle?.files.find(({ path }) => path === 'encryption.yaml');
  if (bundle === undefined || file === undefined) return 'absent';
  if (!isComparable(file.content)) return 'other';
  const seen = observed.paths.get(`${bundle.path}/${file.path}`)?.sha256;
  if (seen === undefined) return 'absent';
  if (seen === file.content.sha256) return 'same';
  // A folder that is named after what should be in it, and something else is.
  const target = observed.paths.get(bundle.path)?.target;
  const name = bundleTarget(bundle);
  const isCurrent = target === name || target === name.slice(name.lastIndexOf('/') + 1);
  return isCurrent ? 'edited' : 'other';
}

function known({ has }: Encrypting): EncryptionText | undefined {
  return has === 'unknown' ? undefined : has;
}

/** The first writes. */
function writer({ providers }: EncryptionText): string {
  return providers[0] ?? 'identity';
}

/** Keys that its apiserver has now and would not have afterwards. */
function leavingKeys(one: Encrypting): readonly string[] {
  const wanted = new Set(one.wanted.providers);
  return (known(one)?.providers ?? []).filter(
    (provider) => keyOf(provider) !== undefined && !wanted.has(provider),
  );
}

/** In archive/, where only a rotation puts a key, and only once nothing in etcd uses it any more. */
function isRetired(provider: string, { wanted }: Encrypting): boolean {
  const key = keyOf(provider);
  return key !== undefined && wanted.retired.includes(`${key.name}:${key.sha256}`);
}

function lostKeys(one: Encrypting): PlanFinding[] {
  const lost = leavingKeys(one).filter((provider) => !isRetired(provider, one));
  const names = [...new Set(lost.map(nameOfKey))];
  if (names.length === 0) return [];
  return [
    {
      severity: 'stop',
      host: one.host,
      code: 'encryption-key-lost',
      message: `its apiserver encrypts with ${names.join(', ')}, which pki/encryption-key of this machine does not have: what was written with it would be unreadable`,
      next:
        one.former === undefined
          ? 'restore pki/encryption-key from the backup, or work where this cluster was set up; the key is also in encryption.yaml on that host'
          : `\`kbin pki adopt\` ${one.former} of that host`,
    },
  ];
}

/** That nothing needs a retired key was proven of what was in etcd then, and of apiservers that wrote with another one. */
function retiredInUse(one: Encrypting): PlanFinding[] {
  const has = known(one);
  const leaving = leavingKeys(one);
  const [first] = leaving;
  if (!one.runs || has === undefined || first === undefined) return [];
  const writes = leaving.includes(writer(has));
  if (!writes && one.isSettled) return [];
  const name = keyOf(first)?.name;
  return [
    {
      severity: 'stop',
      host: one.host,
      code: 'encryption-key-in-use',
      message: writes
        ? `its apiserver encrypts with ${nameOfKey(writer(has))}, which is retired: what it writes would be unreadable`
        : `its apiserver was not restarted since its files changed, so it may still encrypt with ${nameOfKey(first)}, which is retired`,
      next: writes
        ? `bring the key back: move archive/encryption-key/${name}.key and its .sha256 to encryption-key/ in the pki folder, add ${name} as the last line of encryption-key/order, and run \`kbin pki rotate encryption-key\``
        : `restart it (\`systemctl restart kube-apiserver\` on ${one.host}), and then deploy`,
    },
  ];
}

function edited({ host, edited: is }: Encrypting): PlanFinding[] {
  if (!is) return [];
  return [
    {
      severity: 'stop',
      host,
      code: 'encryption-edited',
      message:
        'its encryption.yaml is not the one that kbin wrote: what was written with a key of its own would be unreadable without it',
      next: 'see there what was changed; when nothing in etcd needs it any more, remove that file: a deploy brings kbin’s',
    },
  ];
}

function noNote({ host, has, runs }: Encrypting): PlanFinding[] {
  if (has !== 'unknown') return [];
  return [
    {
      severity: 'stop',
      host,
      code: 'encryption-unknown',
      message: `encryption-keys.txt is missing there, so nobody can tell which keys its apiserver ${runs ? 'encrypts' : 'encrypted'} with`,
      next: 'put it back as another host has it, if encryption.yaml is the same there (sha256sum tells); `kbin plan` compares the rest',
    },
  ];
}

function droppedResources(one: Encrypting): PlanFinding[] {
  const wanted = new Set(one.wanted.resources);
  const dropped = (known(one)?.resources ?? []).filter((resource) => !wanted.has(resource));
  if (dropped.length === 0 || one.wanted.resources === undefined) return [];
  return [
    {
      severity: 'stop',
      host: one.host,
      code: 'encryption-resource-lost',
      message: `${dropped.join(', ')} may be encrypted in etcd, and no apiserver could read them with the new settings`,
      next: 'keep them in `kubernetes: {encryption: {resources: […]}}`',
    },
  ];
}

/** Apiservers that run and are no one cluster as far as Secrets go; what is wanted has the keys of all of them. */
function cannotReadEachOther(all: readonly Encrypting[]): PlanFinding[] {
  const running = all.filter(({ runs }) => runs);
  const pairs = running.flatMap((one) =>
    running.flatMap((other) => {
      const [has, writes] = [known(one), known(other)];
      if (has === undefined || writes === undefined) return [];
      return has.providers.includes(writer(writes)) ? [] : [[one.host, other.host] as const];
    }),
  );
  const [first] = pairs;
  if (first === undefined) return [];
  return [
    {
      severity: 'warning',
      code: 'encryption-differs',
      message: `the apiserver of ${first[0]} cannot read Secrets that the one of ${first[1]} writes${pairs.length > 1 ? ', and there are more such pairs' : ''}`,
      next: 'a deploy puts it right: pki/ has the keys of all of them',
    },
  ];
}

/** An apiserver that goes on running while others already write as they should. */
function cannotRead(one: Encrypting, all: readonly Encrypting[]): PlanFinding[] {
  const has = known(one);
  // The only one is told everything at once.
  if (!one.runs || has === undefined || all.length === 1) return [];
  const first = writer(one.wanted);
  const others = all.filter((other) => other !== one).map(({ host }) => host);
  if (!has.providers.includes(first)) {
    return [
      {
        severity: 'stop',
        host: one.host,
        code: 'encryption-in-steps',
        message: `its apiserver has no ${nameOfKey(first)} yet, so it could not read Secrets that ${others.join(', ')} would write with it first`,
        next: inSteps(writer(has)),
      },
    ];
  }
  if (writer(has) !== first && !one.isSettled) {
    return [
      {
        severity: 'stop',
        host: one.host,
        code: 'encryption-in-steps',
        message: `its apiserver was not restarted since it got ${nameOfKey(first)}, so it could not read Secrets that ${others.join(', ')} would write with it first`,
        next: inSteps(writer(has)),
      },
    ];
  }
  const added = (one.wanted.resources ?? []).filter(
    (resource) => has.resources !== undefined && !has.resources.includes(resource),
  );
  if (added.length === 0 || first === 'identity') return [];
  return [
    {
      severity: 'stop',
      host: one.host,
      code: 'encryption-in-steps',
      message: `its apiserver does not know yet that ${added.join(', ')} are encrypted, so it could not read what ${others.join(', ')} would write first`,
      next: `stop all apiservers for the change (\`systemctl stop kube-apiserver\` on ${all.map(({ host }) => host).join(', ')}), and deploy: it starts them together`,
    },
  ];
}

function inSteps(present: string): string {
  return present === 'identity'
    ? 'set `kubernetes: {encryption: off}` and deploy: every apiserver gets the key and goes on writing as now; then set it back and deploy again'
    : `put ${keyOf(present)?.name} first in pki/encryption-key/order and deploy: every apiserver gets the other key and goes on writing as now; then put it back and deploy again`;
}

/** A host that nobody can look at may run an apiserver that cannot read what the others begin to write. */
function firstElsewhere(all: readonly Encrypting[], unreachable: readonly UnreachableHost[]): PlanFinding[] {
  const begins = all.some((one) => {
    const has = known(one);
    return has !== undefined && !has.providers.includes(writer(one.wanted));
  });
  const [silent] = unreachable;
  if (!begins || silent === undefined) return [];
  const names = unreachable.map(({ host }) => host);
  return [
    {
      severity: 'stop',
      code: 'encryption-unknown',
      message: `Secrets would be written in a new way, and whether ${names.join(', ')} could read them is not known`,
      next: 'wait until every control-plane host can be looked at, or set `kubernetes.encryption` as it was',
    },
  ];
}
