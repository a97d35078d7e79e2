import { type Content, type Part, written } from './desired.ts';
import { sha256 } from './digest.ts';
import type { StoreView } from './store-view.ts';

/** A text with secrets in it, as a file's content. */
export function composedContent(store: StoreView, parts: readonly Part[]): Content {
  const identity = sha256(
    JSON.stringify(parts.map((part) => (typeof part === 'string' ? part : [part.sha256, part.as]))),
  );
  return { kind: 'composed', parts, identity, sha256: store.digestOf(parts) ?? identity };
}

/** The text itself. Rejects when `readSecret` does. */
export async function compose(
  parts: readonly Part[],
  readSecret: (ref: string) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const pieces = await Promise.all(
    parts.map(async (part) =>
      typeof part === 'string' ? Buffer.from(part) : written(part, await readSecret(part.ref)),
    ),
  );
  return Buffer.concat(pieces);
}
