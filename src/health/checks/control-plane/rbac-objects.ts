import type { Change } from '../../../diff/changes.ts';
import type { Check } from '../../check.ts';
import type { ControlPlaneJudgement } from './index.ts';

/** What kbin keeps inside Kubernetes is there and as it should be. */
export const rbacObjects: ControlPlaneJudgement = ({ objects, subject }) => {
  const base = { id: 'rbac-objects' } as const;
  if (typeof objects === 'string') return [{ ...base, status: 'skip', message: objects }];
  if ('code' in objects)
    return [
      { ...base, status: 'fail', message: `they could not be read: ${objects.message}`, next: objects.next },
    ];
  const changes: readonly Change[] = objects;
  if (changes.length === 0)
    return [{ ...base, status: 'pass', message: `all ${subject.objects.length} are as they should be` }];
  return changes.map(
    ({ target, reason }): Check => ({
      ...base,
      target,
      status: 'fail',
      message: reason,
      next: '`kbin control-plane deploy` puts it right',
    }),
  );
};
