import { Mistake, type Read } from './mistake.ts';

/** A release: major.minor.patch. What follows a hyphen (3.7.0-rc.1) counts as before the release itself. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly preRelease: string;
}

const pattern = /^(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})(?:-([0-9A-Za-z.-]+))?$/;

/** For texts that readVersion has let pass. Throws a plain Error (a defect) for anything else. */
export function versionOf(text: string): Version {
  const [whole, major, minor, patch, preRelease = ''] = pattern.exec(text) ?? [];
  if (whole === undefined) throw new Error(`not a version: ${text}`);
  return { major: Number(major), minor: Number(minor), patch: Number(patch), preRelease };
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
  const a = versionOf(one);
  const b = versionOf(other);
  const byNumber = a.major - b.major || a.minor - b.minor || a.patch - b.patch;
  return byNumber === 0 ? a.preRelease !== '' && b.preRelease === '' : byNumber < 0;
}

/** `minorOf('3.6.5')` is `3.6`. */
export function minorOf(text: string): string {
  const { major, minor } = versionOf(text);
  return `${major}.${minor}`;
}
