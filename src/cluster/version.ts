import { Mistake, type Read } from './mistake.ts';

/** A release: major.minor.patch. What follows a hyphen (3.7.0-rc.1) counts as before the release itself. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly preRelease: string;
}

const pattern = /^(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})(?:-([0-9A-Za-z.-]+))?$/;

/** Takes `3.5.16`, `v3.5.16`, `3.5.16+git`, `3.7.0-rc.1`, as programs tell them. undefined when the text is none of these. */
export function parseVersion(text: string): Version | undefined {
  const [whole, major, minor, patch, preRelease = ''] =
    pattern.exec(text.replace(/^v(?=\d)|\+.*$/g, '')) ?? [];
  if (whole === undefined) return undefined;
  return { major: Number(major), minor: Number(minor), patch: Number(patch), preRelease };
}

/** For versions that were validated at the door. Throws a plain Error (a defect) for anything else. */
export function versionOf(text: string): Version {
  const version = parseVersion(text);
  if (version === undefined) throw new Error(`not a version: ${text}`);
  return version;
}

/** Canonical text, from `3.6.5` or `v3.6.5`. */
export const readVersion: Read<string> = (text) => {
  const bare = text.replace(/^v(?=\d)/, '');
  if (pattern.test(bare)) return bare;
  const whole = /^\d+(\.\d+)?$/.test(bare) ? 'a whole version' : 'a version';
  return new Mistake(`"${text}" is not ${whole}; write MAJOR.MINOR.PATCH`);
};

/** Whether `one` is older than `other`; for texts as cluster.yaml has them. */
export function isOlder(one: string, other: string): boolean {
  return compareVersions(versionOf(one), versionOf(other)) < 0;
}

/** `minorOf('3.6.5')` is `3.6`. */
export function minorOf(text: string): string {
  const { major, minor } = versionOf(text);
  return `${major}.${minor}`;
}

/** Negative when a is older than b, 0 when they are the same, positive when it is newer. */
export function compareVersions(a: Version, b: Version): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch || comparePreReleases(a, b);
}

export function compareMinors(
  a: Pick<Version, 'major' | 'minor'>,
  b: Pick<Version, 'major' | 'minor'>,
): number {
  return a.major - b.major || a.minor - b.minor;
}

function comparePreReleases({ preRelease: a }: Version, { preRelease: b }: Version): number {
  if (a === b) return 0;
  if (a === '') return 1;
  if (b === '') return -1;
  return a.localeCompare(b, 'en', { numeric: true });
}
