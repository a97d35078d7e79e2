/** Templates are imported as text: `import conf from '../../units/etcd/etcd.conf?raw'` (vitest and scripts/build.ts). */
declare module '*?raw' {
  const text: string;
  export default text;
}
