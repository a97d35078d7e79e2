import { type CertificateFinding, spanText } from '../../ca/assess-findings.ts';
import type { SeenCertificate } from '../../ca/seen.ts';
import type { Io } from '../io.ts';
import { type Cell, paint, printTable } from '../output.ts';
import { type PkiCheck, type Placed, placeOf } from './check-report.ts';

/** A line for each certificate of the plan, or of the files. */
export function printCertificates(io: Io, { certificates }: PkiCheck, onHosts: boolean): void {
  if (certificates.length === 0) return;
  const rows = new Map<string, SeenCertificate[]>();
  for (const one of certificates) {
    const key = one.seen === 'file' ? one.where : (one.name ?? one.where);
    rows.set(key, [...(rows.get(key) ?? []), one]);
  }
  const isFiles = certificates.every(({ seen }) => seen === 'file');
  printTable(
    io,
    [
      isFiles ? 'file' : 'name',
      'subject',
      'signed by',
      'valid until',
      'days left',
      ...(onHosts ? ['on disk', 'served'] : []),
      'status',
    ],
    [...rows].map(([name, seen]) => row(name, seen, onHosts)),
  );
  io.out('\n');
}

function row(name: string, seen: readonly SeenCertificate[], onHosts: boolean): Cell[] {
  const [first] = seen;
  const days = seen.flatMap(({ info }) => info?.daysLeft ?? []);
  const of = (kind: SeenCertificate['seen']) => seen.filter((one) => one.seen === kind);
  const codes = new Set(seen.flatMap(({ findings }) => findings.map(({ code }) => code)));
  return [
    name,
    first?.info?.subject,
    first?.signedBy ?? (first?.info === undefined ? undefined : 'unknown'),
    first?.info?.notAfter.toISOString().slice(0, 10),
    days.length === 0 ? undefined : Math.min(...days),
    ...(onHosts ? [comparison(of('host'), 'disk-differs'), comparison(of('served'), 'served-differs')] : []),
    codes.size === 0 ? 'ok' : [...codes].join(', '),
  ];
}

/** `same on 3`, `differs on node2`. */
function comparison(seen: readonly SeenCertificate[], code: string): string | undefined {
  const differing = seen.filter(({ findings }) => findings.some((finding) => finding.code === code));
  const hosts = (of: readonly SeenCertificate[]) => [...new Set(of.map(({ host }) => host))];
  if (differing.length > 0) return `differs on ${hosts(differing).join(', ')}`;
  const count = hosts(seen).length;
  return count === 0 ? undefined : count === 1 ? 'same' : `same on ${count}`;
}

const colour = { fail: 'red', warn: 'yellow' } as const;

/** What is wrong, each once with the places where it was seen, and what to do; faults first. */
export function printFindings(io: Io, { certificates, others, gaps, notes }: PkiCheck): void {
  const said = new Map<string, { readonly finding: CertificateFinding; readonly places: string[] }>();
  const all: [Placed, CertificateFinding][] = [
    ...certificates.flatMap((one) =>
      one.findings.map((finding): [Placed, CertificateFinding] => [one, finding]),
    ),
    ...others.map((one): [Placed, CertificateFinding] => [one, one]),
  ];
  for (const [place, finding] of all) {
    const key = [finding.code, finding.message].join('\n');
    const known = said.get(key);
    if (known === undefined) said.set(key, { finding, places: [placeOf(place)] });
    else known.places.push(placeOf(place));
  }
  const order = { fail: 0, warn: 1 };
  const entries = [...said.values()].sort((a, b) => order[a.finding.severity] - order[b.finding.severity]);
  for (const { finding, places } of entries) {
    const { code, severity, message, next } = finding;
    io.out(`${paint(io, colour[severity], severity)}  ${code} ${placesText(places)}: ${message}\n`);
    io.out(`      next: ${next}\n`);
  }
  for (const note of notes) io.out(`note  ${note}\n`);
  for (const { host, what, why, next } of gaps) {
    io.out(`${paint(io, 'red', 'not looked at')}  ${host}, ${what}: ${why}\n      next: ${next}\n`);
  }
}

/** The table has a line for each of them, --json all places. */
function placesText(places: readonly string[]): string {
  const most = 4;
  const more = places.length - most;
  const shown = more > 1 ? places.slice(0, most) : places;
  return `${shown.join(', ')}${more > 1 ? ` and ${more} more` : ''}`;
}

/** `certificates of cluster prod: 2 faults, 1 warning; the first ends in 12 days (etcd-server@node1)` */
export function printVerdict(io: Io, check: PkiCheck): void {
  const { certificates, others, gaps, good, subject } = check;
  const findings = [...certificates.flatMap(({ findings: own }) => own), ...others];
  const count = (severity: 'fail' | 'warn') => findings.filter((one) => one.severity === severity).length;
  const first = certificates
    .filter(({ info }) => info !== undefined)
    .toSorted((a, b) => Number(a.info?.notAfter) - Number(b.info?.notAfter))[0];
  const seen = ['store', 'host', 'served', 'file'].flatMap((kind) => {
    const number = certificates.filter((one) => one.seen === kind).length;
    return number === 0 ? [] : [`${number} ${places[kind]}`];
  });
  const verdict = !good
    ? paint(io, 'red', 'not good')
    : gaps.length > 0
      ? 'incomplete'
      : paint(io, 'green', 'good');
  const words = [
    counted(count('fail'), 'fault'),
    counted(count('warn'), 'warning'),
    counted(gaps.length, 'thing', ' not looked at'),
    seen.join(', ') || 'none seen',
    first?.info === undefined ? undefined : firstEnd(first, first.info.notAfter, new Date(check.at)),
  ].filter((word) => word !== undefined);
  io.out(`${subject}: ${verdict}: ${words.join(', ')}\n`);
}

function firstEnd({ name, where }: SeenCertificate, end: Date, now: Date): string {
  const hours = (end.getTime() - now.getTime()) / 3_600_000;
  return `the first ${hours < 0 ? 'has ended' : `ends in ${spanText(hours)}`} (${name ?? where})`;
}

const places: Readonly<Record<string, string>> = {
  store: 'seen in pki/',
  host: 'on hosts',
  served: 'on the wire',
  file: 'seen in files',
};

function counted(number: number, noun: string, rest = ''): string | undefined {
  return number === 0 ? undefined : `${number} ${noun}${number === 1 ? '' : 's'}${rest}`;
}
