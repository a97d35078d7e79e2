import type { Component } from '../component.ts';
import { etcd } from './etcd.ts';
import { kubeApiserver } from './kube-apiserver.ts';
import { kubeControllerManager } from './kube-controller-manager.ts';
import { kubeScheduler } from './kube-scheduler.ts';

/** In the order in which they are applied on a host. */
export const components: readonly Component[] = [etcd, kubeApiserver, kubeControllerManager, kubeScheduler];
