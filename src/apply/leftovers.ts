import type { DesiredComponent } from '../desired/desired.ts';
import { folderOf } from '../desired/folders.ts';
import type { Task } from './commit.ts';
import { clean, type Operation, prune } from './operations.ts';

/**
 * Clears up once the result is proven: former files, uploads that were not used, bundles older than the last one. Only
 * of this component: in the same folders another one's uploads may wait for their turn.
 */
export function completion({ component }: Pick<Task, 'component'>): readonly Operation[] {
  return [...component.bundles.map(({ path }) => prune(path)), ...placesOf(component).map(clean)];
}

/** What runs that were cut off left beside the component's own places. */
export function leftoversOf({
  component,
  observed,
}: Pick<Task, 'component' | 'observed'>): readonly string[] {
  const places = new Set(placesOf(component));
  return observed.leftovers.filter((left) => {
    const name = /^\.kbin-(?:old|new|link|[0-9a-f]{12})-(.*)$/.exec(
      left.slice(left.lastIndexOf('/') + 1),
    )?.[1];
    return name !== undefined && places.has(`${folderOf(left)}/${name}`);
  });
}

/**
 * Files and bundles of the component whose former state is still kept beside them: an earlier run put new ones in place
 * and was cut off before it had proven them.
 */
export function unprovenPlaces({
  component,
  observed,
}: Pick<Task, 'component' | 'observed'>): readonly string[] {
  return [...component.files, ...component.bundles]
    .map(({ path }) => path)
    .filter((path) =>
      observed.leftovers.includes(`${folderOf(path)}/.kbin-old-${path.slice(path.lastIndexOf('/') + 1)}`),
    );
}

function placesOf({ files, bundles, state }: DesiredComponent): readonly string[] {
  return [...[...files, ...bundles].map(({ path }) => path), ...(state === undefined ? [] : [state.marker])];
}
