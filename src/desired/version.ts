/** A release: major.minor.patch. What follows a hyphen (3.7.0-rc.1) counts as before the release itself. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly preRelease: string;
}

/** Takes `3.5.16`, `v3.5.16`, `3.5.16+git`, `3.7.0-rc.1`. undefined when the text is none of these. */
export function parseVersion(text: string): Version | undefined {
  const match = /^v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+.*)?$/.exec(text);
  if (match === null) return undefined;
  const [, major, minor, patch, preRelease = ''] = match;
  return { major: Number(major), minor: Number(minor), patch: Number(patch), preRelease };
}

/** For versions that were validated at the door. Throws a plain Error (a defect) for anything else. */
export function versionOf(text: string): Version {
  const version = parseVersion(text);
  if (version === undefined) throw new Error(`not a version: ${text}`);
  return version;
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
