import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Plugin } from 'esbuild';
import protobuf from 'protobufjs';

/**
 * etcd3 reads its .proto files from the folder beside its code, which a bundle does not have: they are parsed here, and
 * the bundle has the result. Fails the build when another release does it in another way.
 */
export const etcd3Proto: Plugin = {
  name: 'etcd3-proto',
  setup(bundle) {
    bundle.onLoad({ filter: /[\\/]etcd3[\\/]lib[\\/]connection-pool\.js$/ }, async ({ path }) => {
      const code = await readFile(path, 'utf8');
      const proto = new protobuf.Root().loadSync(resolve(dirname(path), '../proto/rpc.proto'), {
        keepCase: true,
      });
      const parsed = `.fromJSON)(${JSON.stringify(proto.toJSON())}, {`;
      return {
        contents: replacedOnce(code, '.loadSync)(`${__dirname}/../proto/rpc.proto`, {', parsed),
        loader: 'js',
      };
    });

    bundle.onLoad(
      { filter: /[\\/]@grpc[\\/]proto-loader[\\/]build[\\/]src[\\/]index\.js$/ },
      async ({ path }) => {
        const code = await readFile(path, 'utf8');
        const contents = descriptions.reduce(
          (text, [described, plain]) => replacedOnce(text, described, plain),
          code,
        );
        return { contents, loader: 'js' };
      },
    );
  },
};

function replacedOnce(code: string, what: string, by: string): string {
  if (code.split(what).length !== 2)
    throw new Error(`this build does not know a release without, once: ${what}`);
  return code.replace(what, () => by);
}

/**
 * proto-loader describes every message in protobuf's own terms, for servers that are asked what they speak. Nobody asks a
 * client, and it takes 40 ms of every run that talks to etcd.
 */
const descriptions: readonly (readonly [string, string])[] = [
  ['const descriptor = require("protobufjs/ext/descriptor");', 'const descriptor = {};'],
  ["const descriptorList = root.toDescriptor('proto3').file;", 'const descriptorList = [];'],
  ["const messageDescriptor = message.toDescriptor('proto3');", ''],
  ['type: messageDescriptor.$type.toObject(messageDescriptor, descriptorOptions),', 'type: {},'],
  ["const enumDescriptor = enumType.toDescriptor('proto3');", ''],
  ['type: enumDescriptor.$type.toObject(enumDescriptor, descriptorOptions),', 'type: {},'],
];
