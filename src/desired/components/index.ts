import type { Component } from '../component.ts';
import { etcd } from './etcd.ts';

/** In the order in which they are applied on a host. */
export const components: readonly Component[] = [etcd];
