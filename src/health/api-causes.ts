import { KbinError } from '../errors.ts';
import type { ApiTarget } from './api-target.ts';
import { type Cause, type CauseCode, causeOf } from './causes.ts';
import { plainText } from './plain-text.ts';

/** An HTTP answer; any status. */
export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
  /** What its clock said; to the second. */
  readonly date?: Date;
}

/** Why a component of Kubernetes could not be asked. Never throws. `unit` is the component's: `kube-apiserver`. */
export function kubeCauseOf(error: unknown, unit: string, deadlineMs?: number): Cause {
  if (error instanceof ApiError) return error.reason;
  const cause = causeOf(error, deadlineMs === undefined ? {} : { deadlineMs });
  const { message, next } = wording[cause.code] ?? {};
  const named = (text: string) => text.replaceAll('UNIT', unit);
  return { ...cause, message: message ?? cause.message, next: named(next ?? cause.next) };
}

/** The rules of src/health/cause-rules.ts speak of etcd; this is what differs for others. */
const wording: Partial<Record<CauseCode, { readonly message?: string; readonly next: string }>> = {
  refused: {
    next: 'see whether it runs on that host (systemctl status UNIT, journalctl -u UNIT), and on which port; `kbin plan` tells what is missing there',
  },
  'no-answer': {
    next: 'see whether the host is frozen or cut off, or a firewall drops packets (journalctl -u UNIT)',
  },
  'no-route': { next: 'see whether the host is up and the network between is' },
  'connection-lost': { next: 'see whether it is just starting or stopping (journalctl -u UNIT)' },
  'wrong-scheme': {
    message: 'does not speak TLS on that port',
    next: 'see what listens there (ss -ltnp on the host)',
  },
  'wrong-ca': {
    next: 'check which CA signed the certificate that UNIT serves; `kbin plan` shows what differs on the host',
  },
  'server-key-unusable': {
    next: 'see that UNIT may read its certificate and key, and that they are a pair; its journal names the file',
  },
  'foreign-client': {
    message: 'does not accept the client certificate: its CA is not the one that is trusted there',
    next: "compare the CA of the certificate store with the host's (`kbin plan`)",
  },
  unknown: { next: 'see the journal (journalctl -u UNIT)' },
};

/** What an answer that is no success says, as a cause. */
export function refusal({ status, text }: ApiAnswer): Cause {
  const said = statusMessage(text);
  if (status === 401) {
    return {
      code: 'unauthorized',
      message: `does not accept the client certificate (401 ${said})`,
      next: "see that the certificate has not expired, that its CA is the apiserver's client-ca-file, and the clocks of both",
    };
  }
  if (status === 403) {
    return {
      code: 'forbidden',
      message: `does not allow it (403 ${said})`,
      next: 'see the groups of the client certificate, and the RBAC bindings (the group system:masters may do everything)',
    };
  }
  const overloaded = status === 429;
  return {
    code: overloaded ? 'too-many-requests' : status >= 500 ? 'server-error' : 'rejected',
    message: `answers ${status}: ${said}`,
    next: overloaded
      ? 'it has more to do than it can; see the load of that host'
      : 'see the journal of the apiserver (journalctl -u kube-apiserver)',
  };
}

/** The message of a Kubernetes Status, else the text's beginning. */
export function statusMessage(text: string): string {
  const message = statusOf(text)?.message;
  return plainText((typeof message === 'string' ? message : text).replaceAll(/\s+/g, ' ').trim()).slice(
    0,
    300,
  );
}

/** The reason of a Kubernetes Status: `NotFound`, `AlreadyExists`, `Conflict`. */
export function statusReason(text: string): string | undefined {
  const reason = statusOf(text)?.reason;
  return typeof reason === 'string' ? reason : undefined;
}

function statusOf(text: string): { readonly message?: unknown; readonly reason?: unknown } | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** An apiserver could not be asked, or refused. `reason` says why in terms that code can act on. */
export class ApiError extends KbinError {
  readonly reason: Cause;
  /** HTTP status, where it answered. */
  readonly status: number | undefined;
  /** Kubernetes' own word: `NotFound`, `AlreadyExists`. */
  readonly word: string | undefined;

  constructor(target: ApiTarget, step: string, reason: Cause, answer?: ApiAnswer) {
    super(`apiserver ${target.name} ${reason.message}`, {
      step,
      next: reason.next,
      host: target.name,
    });
    this.reason = reason;
    this.status = answer?.status;
    this.word = answer === undefined ? undefined : statusReason(answer.text);
  }
}
