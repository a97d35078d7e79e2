export const changedFiles = ['etcd-ca/a', 'kubernetes-ca/b'].flatMap((stem) => [
  `${stem}.crt`,
  `${stem}.key`,
]);

export const removedFiles = ['next/etcd-ca/ca.crt', 'etcd-ca/gone.crt'];
