import type { Usage } from '../../pki/usages.ts';
import { didYouMean } from '../cluster/suggest.ts';
import { exitCode, KbinError } from '../errors.ts';
import { parseDuration } from './duration.ts';
import { anything, boolean, integer, list, map, object, type Remarks, readJson, string } from './json.ts';
import { nameFilter } from './name-filter.ts';
import { type Policy, readPolicies } from './policies.ts';
import { parseTimestamp } from './timestamp.ts';
import { knownUsages } from './usages.ts';

/** A profile of ca-config.json, checked. Durations in milliseconds. */
export interface SigningProfile {
  readonly name: string;
  readonly usages: readonly Usage[];
  readonly expiry: number;
  /** 0: the five minutes that cfssl takes. */
  readonly backdate: number;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly authority?: { readonly pathLength?: number };
  /** undefined: those of the default profile; an empty list: none. */
  readonly issuerUrls?: readonly string[];
  readonly ocspUrl?: string;
  readonly crlUrl?: string;
  readonly ocspNoCheck: boolean;
  readonly copyExtensions: boolean;
  /** A name that may be in the certificate. */
  readonly mayName?: (name: string) => boolean;
  readonly policies: readonly Policy[];
  /** What of a request is copied; undefined: all of it. */
  readonly copied?: Copied;
  /** Why kbin does not sign with it: a part of it needs a server. */
  readonly refused?: string;
}

export interface Copied {
  readonly subject: boolean;
  readonly publicKey: boolean;
  readonly dns: boolean;
  readonly ip: boolean;
  readonly email: boolean;
  readonly uri: boolean;
}

export interface SigningConfig {
  readonly default: SigningProfile;
  readonly profiles: ReadonlyMap<string, SigningProfile>;
}

interface RawProfile {
  usages?: string[];
  issuer_urls?: string[];
  ocsp_url?: string;
  crl_url?: string;
  ca_constraint?: { is_ca?: boolean; max_path_len?: number; max_path_len_zero?: boolean };
  ocsp_no_check?: boolean;
  expiry?: string;
  backdate?: string;
  auth_key?: string;
  remote?: string;
  auth_remote?: { remote?: string; auth_key?: string };
  copy_extensions?: boolean;
  not_before?: string;
  not_after?: string;
  name_whitelist?: string;
  ct_log_servers?: string[];
  policies?: { ID?: string; Qualifiers?: { Type?: string; Value?: string }[] }[];
  CSRWhitelist?: Record<string, boolean>;
  ClientProvidesSerialNumbers?: boolean;
  lint_error_level?: unknown;
  cert_store?: string;
}

interface RawConfig {
  signing?: { default?: RawProfile; profiles?: Record<string, RawProfile> };
  auth_keys?: Record<string, { type?: string; key?: string }>;
  remotes?: Record<string, string>;
}

const copiedKeys = {
  Subject: boolean,
  PublicKeyAlgorithm: boolean,
  PublicKey: boolean,
  SignatureAlgorithm: boolean,
  DNSNames: boolean,
  IPAddresses: boolean,
  EmailAddresses: boolean,
  URIs: boolean,
};

const inConstraint = '; it belongs into "ca_constraint"';

const profileShape = object(
  {
    usages: list(string),
    issuer_urls: list(string),
    ocsp_url: string,
    crl_url: string,
    ca_constraint: object({ is_ca: boolean, max_path_len: integer, max_path_len_zero: boolean }),
    ocsp_no_check: boolean,
    expiry: string,
    backdate: string,
    auth_key: string,
    prev_auth_key: string,
    remote: string,
    auth_remote: object({ remote: string, auth_key: string }),
    copy_extensions: boolean,
    not_before: string,
    not_after: string,
    name_whitelist: string,
    ct_log_servers: list(string),
    allowed_extensions: list(string),
    cert_store: string,
    lint_error_level: anything,
    ignored_lints: list(string),
    ignored_lint_sources: list(string),
    policies: list(object({ ID: string, Qualifiers: list(object({ Type: string, Value: string })) })),
    CSRWhitelist: object(copiedKeys),
    ClientProvidesSerialNumbers: boolean,
  },
  { is_ca: inConstraint, max_path_len: inConstraint, max_path_len_zero: inConstraint },
);

const inSigning = '; it belongs into "signing"';

const configShape = object(
  {
    signing: object({ default: profileShape, profiles: map(profileShape) }),
    auth_keys: map(object({ type: string, key: string })),
    remotes: map(string),
    ocsp: anything,
  },
  { profiles: inSigning, default: inSigning },
);

/** What cfssl signs with when there is no configuration. */
export const builtInProfile: SigningProfile = {
  name: 'default',
  usages: ['signing', 'key encipherment', 'server auth', 'client auth'],
  expiry: 8760 * 3_600_000,
  backdate: 0,
  ocspNoCheck: false,
  copyExtensions: false,
  policies: [],
};

/** A ca-config.json. Throws KbinError (exit 2) for what cfssl refuses too, and for what kbin cannot honour. */
export function readConfig(text: string, source: string, remarks: Remarks): SigningConfig {
  const raw = readJson<RawConfig>(text, configShape, source, remarks);
  if (raw.signing === undefined) throw mistake(`${source} has no "signing"`);
  const { default: base, profiles = {} } = raw.signing;
  const read = (name: string, profile: RawProfile): SigningProfile =>
    readProfile(profile, name, { source, raw, remarks });
  return {
    default: base === undefined ? builtInProfile : read('default', base),
    profiles: new Map(Object.entries(profiles).map(([name, profile]) => [name, read(name, profile)])),
  };
}

/** The profile of that name; cfssl takes the default one, without a word, where there is none. */
export function chooseProfile(
  config: SigningConfig | undefined,
  name: string,
  remarks: Remarks,
): SigningProfile {
  const profile = config?.profiles.get(name);
  if (name !== '' && profile === undefined) {
    const names = [...(config?.profiles.keys() ?? [])];
    const have =
      names.length === 0 ? 'there are no profiles' : `there are ${names.map((one) => `"${one}"`).join(', ')}`;
    remarks.push(`there is no profile "${name}", the default is taken (${have})${didYouMean(name, names)}`);
  }
  const chosen = profile ?? config?.default ?? builtInProfile;
  if (chosen.refused !== undefined) {
    throw new KbinError(`the profile "${chosen.name}" cannot be used here`, {
      why: chosen.refused,
      next: 'take another profile, or leave that key out of it',
      exit: exitCode.usage,
    });
  }
  return chosen;
}

interface Surroundings {
  readonly source: string;
  readonly raw: RawConfig;
  readonly remarks: Remarks;
}

function readProfile(
  raw: RawProfile,
  name: string,
  { source, raw: config, remarks }: Surroundings,
): SigningProfile {
  const isDefault = name === 'default' && raw === config.signing?.default;
  const where = `${source}: ${isDefault ? 'signing.default' : `signing.profiles.${name}`}`;
  checkReferences(raw, config, where);
  const refused = refusal(raw);
  const usages = knownUsages(raw.usages ?? [], `${where}.usages`, remarks);
  if (usages.length === 0 && !isDefault && refused === undefined) {
    throw mistake(`${where} has no usages that there are`);
  }
  const expiry = refused === undefined ? validity(raw, where) : 0;
  if (raw.cert_store) remarks.push(`${where}.cert_store: kbin keeps no record of what it signs`);
  if (raw.lint_error_level) remarks.push(`${where}.lint_error_level: kbin does not lint what it signs`);
  const authority = authorityOf(raw, where, remarks);
  const copied = copiedOf(raw.CSRWhitelist);
  return {
    name,
    usages,
    expiry,
    backdate: raw.backdate ? parseDuration(raw.backdate, `${where}.backdate`) : 0,
    ...(raw.not_before ? { notBefore: parseTimestamp(raw.not_before, `${where}.not_before`) } : {}),
    ...(raw.not_after ? { notAfter: parseTimestamp(raw.not_after, `${where}.not_after`) } : {}),
    ...(authority === undefined ? {} : { authority }),
    ...(raw.issuer_urls === undefined ? {} : { issuerUrls: raw.issuer_urls }),
    ...(raw.ocsp_url ? { ocspUrl: raw.ocsp_url } : {}),
    ...(raw.crl_url ? { crlUrl: raw.crl_url } : {}),
    ocspNoCheck: raw.ocsp_no_check ?? false,
    copyExtensions: raw.copy_extensions ?? false,
    ...(raw.name_whitelist ? { mayName: nameFilter(raw.name_whitelist, `${where}.name_whitelist`) } : {}),
    policies: readPolicies(raw.policies ?? [], `${where}.policies`),
    ...(copied === undefined ? {} : { copied }),
    ...(refused === undefined ? {} : { refused }),
  };
}

function validity({ expiry }: RawProfile, where: string): number {
  if (!expiry) throw mistake(`${where} has no expiry`, 'give it one: "expiry": "8760h"');
  const wanted = parseDuration(expiry, `${where}.expiry`);
  if (wanted > 0) return wanted;
  throw mistake(`${where}.expiry: "${expiry}" is no time at all`, 'give it hours: "8760h"');
}

/** cfssl looks these up when it reads the file, whichever profile is used later. */
function checkReferences(raw: RawProfile, { auth_keys = {}, remotes = {} }: RawConfig, where: string): void {
  if (raw.remote && !Object.hasOwn(remotes, raw.remote))
    throw mistake(`${where}.remote: no "${raw.remote}" in "remotes"`);
  if (!raw.auth_key) return;
  const key = auth_keys[raw.auth_key];
  if (key === undefined) throw mistake(`${where}.auth_key: no "${raw.auth_key}" in "auth_keys"`);
  if (key.type !== 'standard') throw mistake(`${where}.auth_key: the type of that key is not "standard"`);
}

function refusal(raw: RawProfile): string | undefined {
  if (raw.remote) return 'its "remote" has another machine sign, and kbin signs only where it runs';
  if (raw.auth_remote?.remote)
    return 'its "auth_remote" has another machine sign, and kbin signs only where it runs';
  if ((raw.ct_log_servers ?? []).length > 0)
    return 'its "ct_log_servers" would have kbin send certificates to the internet';
  return raw.ClientProvidesSerialNumbers
    ? 'its "ClientProvidesSerialNumbers" is for the API of a cfssl server'
    : undefined;
}

/** A max_path_len of 0 means no limit, unless max_path_len_zero says otherwise. */
function authorityOf(
  { ca_constraint: constraint }: RawProfile,
  where: string,
  remarks: Remarks,
): SigningProfile['authority'] {
  const length = constraint?.max_path_len ?? 0;
  if (length < 0) {
    throw mistake(`${where}.ca_constraint.max_path_len is negative`, 'leave it out for no limit');
  }
  if (constraint?.is_ca !== true) {
    if (length > 0 || constraint?.max_path_len_zero)
      remarks.push(`${where}.ca_constraint: a path length without "is_ca" means nothing`);
    return undefined;
  }
  if (length > 0) return { pathLength: length };
  return constraint.max_path_len_zero ? { pathLength: 0 } : {};
}

function copiedOf(allowed: Record<string, boolean> | undefined): Copied | undefined {
  if (allowed === undefined) return undefined;
  return {
    subject: allowed.Subject === true,
    publicKey: allowed.PublicKey === true,
    dns: allowed.DNSNames === true,
    ip: allowed.IPAddresses === true,
    email: allowed.EmailAddresses === true,
    uri: allowed.URIs === true,
  };
}

function mistake(what: string, next = 'compare it with "kbin cfssl print-defaults config"'): KbinError {
  return new KbinError(what, { next, exit: exitCode.usage });
}
