export const changedFiles = ['etcd-ca/a', 'kubernetes-ca/b'].flatMap((stem) => [
  `${stem}.crt`,
  `${stem}.key`,
]);
