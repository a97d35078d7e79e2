/**
 * cfssl's command line as data: which flags a command reads, and how Go's flag package reads words. `kbin --help` and
 * completion show the flags through commander, which knows no long flags with one dash; so the words after the command
 * go past it (shieldWords) and are read here.
 */
import { nearest } from '../../cluster/suggest.ts';
import { exitCode, KbinError } from '../../errors.ts';

export interface Flag {
  /** What stands for its value in the help; undefined: true or false. */
  readonly value?: string;
  readonly summary: string;
}

const flags = {
  initca: { summary: 'make a new CA, or with -ca-key a new certificate for its key' },
  renewca: { summary: 'make a CA valid for as long again (-ca, -ca-key)' },
  ca: { value: 'file', summary: 'CA certificate; "env:NAME" takes it from a variable' },
  'ca-key': { value: 'file', summary: 'CA private key; "env:NAME" takes it from a variable' },
  config: { value: 'file', summary: 'ca-config.json' },
  profile: { value: 'name', summary: 'signing profile of the configuration' },
  hostname: { value: 'names', summary: 'names for the certificate, instead of "hosts"; commas between them' },
  cn: { value: 'name', summary: 'common name, instead of "CN"' },
  key: { value: 'file', summary: 'private key' },
  cert: { value: 'file', summary: 'certificate; "-" reads stdin' },
  csr: { value: 'file', summary: 'certificate request; "-" reads stdin' },
  'ca-bundle': { value: 'file', summary: 'roots' },
  'int-bundle': { value: 'file', summary: 'what lies between the certificate and a root' },
  'int-dir': { value: 'dir', summary: 'a folder of such certificates' },
  flavor: { value: 'optimal|ubiquitous|force', summary: '"force" takes the chain as it is' },
  bare: {
    value: 'name',
    summary: "write NAME.pem, NAME-key.pem and NAME.csr, as cfssljson does (kbin's own)",
  },
  strict: { summary: "what would be a warning is an error, and nothing is made (kbin's own)" },
  loglevel: { value: 'number', summary: 'accepted and not used: kbin prints no log' },
} as const satisfies Readonly<Record<string, Flag>>;

export type FlagName = keyof typeof flags;
export const flagOf = (name: FlagName): Flag => flags[name];

/** What asks for another machine, a database or a token. */
const refused: Readonly<Record<string, string>> = {
  remote: 'it has another machine sign, and kbin signs only where it runs',
  domain: 'it asks the network, and this command reads files only',
  'db-config': 'kbin keeps no database of certificates',
  sn: 'kbin keeps no database of certificates',
  serial: 'kbin keeps no database of certificates',
  aki: 'kbin keeps no database of certificates',
};

/** Flags that every cfssl command takes, whether it has a use for them or not. */
const unused = [
  'label',
  'ip',
  'metadata',
  'password',
  'intermediates',
  'address',
  'port',
  'status',
  'reason',
].concat(
  [
    'tls-cert',
    'tls-key',
    'mutual-tls-ca',
    'mutual-tls-cn',
    'mutual-tls-client-cert',
    'mutual-tls-client-key',
  ],
  ['tls-remote-ca', 'min-tls-version', 'responder', 'responder-key', 'responses', 'interval', 'revoked-at'],
  ['usage', 'path', 'family', 'scanner', 'timeout', 'csv', 'max-hosts', 'num-workers'],
);

export interface Words {
  /** The last one counts where a flag stands twice. */
  readonly flags: ReadonlyMap<FlagName, string>;
  readonly operands: readonly string[];
  /** Flags that this command has no use for. */
  readonly remarks: readonly string[];
}

/** The words after `kbin cfssl COMMAND`, as Go's flag package reads them; kbin's own flags may stand anywhere. */
export function readWords(command: string, known: readonly FlagName[], words: readonly string[]): Words {
  const found = new Map<FlagName, string>();
  const operands: string[] = [];
  const remarks: string[] = [];
  const left = [...words];
  const see = `see "kbin cfssl ${command} --help"`;
  const wrong = (what: string, next = see, why?: string): KbinError =>
    new KbinError(what, { ...(why === undefined ? {} : { why }), next, exit: exitCode.usage });
  let onlyOperands = false;
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    const [, name, given] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    const isOwn = name === 'bare' || name === 'strict';
    if (name === undefined || (operands.length > 0 && !isOwn) || onlyOperands) {
      if (word === '--' && !onlyOperands) onlyOperands = true;
      else operands.push(word);
      continue;
    }
    const why = refused[name];
    if (why !== undefined && !(known as readonly string[]).includes(name)) {
      throw wrong(`kbin cfssl does not know -${name}`, 'use cfssl itself for that', why);
    }
    if (!Object.hasOwn(flags, name) && !unused.includes(name)) {
      const meant = nearest(name, known);
      throw wrong(
        `cfssl has no flag -${name}`,
        meant === undefined ? see : `did you mean -${meant}? Otherwise ${see}`,
      );
    }
    const isSwitch = Object.hasOwn(flags, name) && (flags as Record<string, Flag>)[name]?.value === undefined;
    const value = given ?? (isSwitch ? 'true' : left.shift());
    if (value === undefined) throw wrong(`-${name} lacks its value`);
    if (!(known as readonly string[]).includes(name)) {
      remarks.push(`-${name} has no effect on ${command}`);
      continue;
    }
    found.set(name as FlagName, isSwitch ? truth(name, value, wrong) : value);
  }
  return { flags: found, operands, remarks };
}

function truth(name: string, value: string, wrong: (what: string) => KbinError): string {
  if (/^(1|t|T|true|TRUE|True)$/.test(value)) return 'true';
  if (/^(0|f|F|false|FALSE|False)$/.test(value)) return '';
  throw wrong(`-${name} is true or false, not "${value}"`);
}
