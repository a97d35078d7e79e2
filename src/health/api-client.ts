import { Agent, type ClientRequest, request as openRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ApiAnswer, ApiError, kubeCauseOf, refusal } from './api-causes.ts';
import type { ApiCredentials, ApiTarget } from './api-target.ts';
import { DeadlineError, dialDirect } from './dial.ts';
import { connectVerified } from './tls-connect.ts';

export { type ApiAnswer, ApiError } from './api-causes.ts';

/** Milliseconds that one call may take, connecting included, when the caller names no other deadline. */
export const apiDeadlineMs = 5000;

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query: `/api/v1/namespaces?limit=5`. */
  readonly path: string;
  /** Sent as JSON; a string as it is. */
  readonly body?: unknown;
  /** Default application/json. */
  readonly contentType?: string;
  /** What the answer should be; default JSON, whole objects. */
  readonly accept?: string;
}

/**
 * One open client for one apiserver. Every call has the deadline given at opening and rejects with an ApiError that
 * names the cause. Nothing is retried here. Connections are kept until close().
 */
export interface ApiClient {
  readonly target: ApiTarget;
  /** Any status is an answer: /readyz says 500 with the checks that failed. */
  get(path: string): Promise<ApiAnswer>;
  /** Any status is an answer. */
  request(request: ApiRequest): Promise<ApiAnswer>;
  /** The parsed body. Rejects with an ApiError that has `status` and `word` for a status of 400 or more. */
  getJson<T = unknown>(path: string): Promise<T>;
  /** As getJson. */
  send<T = unknown>(request: ApiRequest): Promise<T>;
  close(): void;
}

/** Opens a client without connecting yet. */
export function openApi(
  target: ApiTarget,
  credentials: ApiCredentials,
  deadlineMs: number = apiDeadlineMs,
): ApiClient {
  const { agent, close } = connectionsTo(target, credentials, deadlineMs);
  const ask = async (what: ApiRequest): Promise<ApiAnswer> => {
    try {
      return await exchange(agent, target, what, deadlineMs);
    } catch (error) {
      throw new ApiError(target, stepOf(what), kubeCauseOf(error, 'kube-apiserver', deadlineMs));
    }
  };
  const send = async <T>(what: ApiRequest): Promise<T> => {
    const answer = await ask(what);
    if (answer.status >= 400) throw new ApiError(target, stepOf(what), refusal(answer), answer);
    return parsed(target, what, answer) as T;
  };
  return {
    target,
    get: (path) => ask({ method: 'GET', path }),
    request: ask,
    getJson: <T>(path: string) => send<T>({ method: 'GET', path }),
    send,
    close,
  };
}

/** Without the query: labels and field managers tell a reader nothing. */
function stepOf({ method, path }: ApiRequest): string {
  return `${method} ${path.split('?')[0]}`;
}

function parsed(target: ApiTarget, what: ApiRequest, { status, text }: ApiAnswer): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(target, stepOf(what), refusal({ status, text: `no JSON: ${text.slice(0, 100)}` }));
  }
}

interface Connections {
  readonly agent: Agent;
  close(): void;
}

/** Plain HTTP over streams that are TLS already: verified against the address dialled, over whatever `dial` opens. */
function connectionsTo(target: ApiTarget, credentials: ApiCredentials, deadlineMs: number): Connections {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const streams = new Set<Duplex>();
  let closed = false;
  const open = async (): Promise<Duplex> => {
    // A little earlier than the call's own deadline: that nothing could be dialled says more than that nothing answered.
    const end = performance.now() + deadlineMs * 0.9;
    const left = () => Math.max(1, Math.round(end - performance.now()));
    const raw = await (target.dial ?? dialDirect)(target.address, target.port, left());
    // Between handshake and request nobody else listens; whoever uses the stream notices its end.
    raw.on('error', () => {});
    const stream = await connectVerified(raw, target.address, credentials, left());
    // The agent knows nothing of connections that come about after it was destroyed.
    if (closed) {
      stream.destroy();
      throw new Error('closed');
    }
    streams.add(stream);
    stream.once('close', () => streams.delete(stream));
    return stream;
  };
  agent.createConnection = (_options, done) => {
    open().then(
      (stream) => done?.(null, stream),
      (error: Error) => done?.(error, undefined as unknown as Duplex),
    );
    return undefined;
  };
  return {
    agent,
    close: () => {
      closed = true;
      agent.destroy();
      for (const stream of streams) stream.destroy();
    },
  };
}

/** Bytes; what kbin reads is small, and lists are asked for with a limit. */
const maxAnswer = 16 << 20;

function exchange(
  agent: Agent,
  target: ApiTarget,
  { method, path, body, contentType, accept = 'application/json, */*' }: ApiRequest,
  deadlineMs: number,
): Promise<ApiAnswer> {
  const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const asking: ClientRequest = openRequest(
      {
        agent,
        method,
        path,
        host: target.address,
        port: target.port,
        headers: {
          Accept: accept,
          'User-Agent': 'kbin',
          ...(payload === undefined
            ? {}
            : {
                'Content-Type': contentType ?? 'application/json',
                'Content-Length': Buffer.byteLength(payload),
              }),
        },
      },
      (response) => {
        const parts: Buffer[] = [];
        let size = 0;
        response.on('data', (part: Buffer) => {
          size += part.length;
          if (size > maxAnswer) asking.destroy(new Error(`an answer of more than ${maxAnswer} bytes`));
          else parts.push(part);
        });
        response.once('end', () => {
          clearTimeout(timer);
          const date = new Date(response.headers.date ?? '');
          resolve({
            status: response.statusCode ?? 0,
            text: Buffer.concat(parts).toString('utf8'),
            ...(Number.isNaN(date.getTime()) ? {} : { date }),
          });
        });
        response.once('error', reject);
      },
    );
    const timer = setTimeout(
      () =>
        asking.destroy(
          new DeadlineError(`no answer to ${method} ${path.split('?')[0]} after ${deadlineMs} ms`),
        ),
      deadlineMs,
    );
    asking.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    asking.end(payload);
  });
}
