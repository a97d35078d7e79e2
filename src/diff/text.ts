import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';

/** A unified diff from the text on the host to the wanted one, as `diff -u` prints it; `/dev/null` for a new file. */
export function unifiedDiff(path: string, present: string, wanted: string): string {
  const from = present === '' ? '/dev/null' : path;
  return createTwoFilesPatch(from, path, present, wanted, undefined, undefined, {
    context: 3,
    headerOptions: FILE_HEADERS_ONLY,
  });
}
