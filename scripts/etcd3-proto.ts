import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Plugin } from 'esbuild';
import protobuf from 'protobufjs';

/**
 * etcd3 reads its .proto files from the folder beside its code, which a bundle does not have: they are parsed here, and
 * the bundle has the result. Fails the build when another release of etcd3 does it in another way.
 */
export const etcd3Proto: Plugin = {
  name: 'etcd3-proto',
  setup(bundle) {
    bundle.onLoad({ filter: /[\\/]etcd3[\\/]lib[\\/]connection-pool\.js$/ }, async ({ path }) => {
      const code = await readFile(path, 'utf8');
      const call = '.loadSync)(`${__dirname}/../proto/rpc.proto`, {';
      if (code.split(call).length !== 2) {
        return { errors: [{ text: 'etcd3 loads its .proto files otherwise than this build knows' }] };
      }
      const proto = new protobuf.Root().loadSync(resolve(dirname(path), '../proto/rpc.proto'), {
        keepCase: true,
      });
      return {
        contents: code.replace(call, () => `.fromJSON)(${JSON.stringify(proto.toJSON())}, {`),
        loader: 'js',
      };
    });

    bundle.onLoad(
      { filter: /[\\/]@grpc[\\/]proto-loader[\\/]build[\\/]src[\\/]index\.js$/ },
      async ({ path }) => {
        let code = await readFile(path, 'utf8');
        for (const [described, plain] of descriptions) {
          if (code.split(described).length !== 2) {
            return {
              errors: [
                { text: `proto-loader describes messages otherwise than this build knows: ${described}` },
              ],
            };
          }
          code = code.replace(described, () => plain);
        }
        return { contents: code, loader: 'js' };
      },
    );
  },
};

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
