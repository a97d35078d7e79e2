import { isIP } from 'node:net';
import { checkServerIdentity, createSecureContext, type PeerCertificate } from 'node:tls';
import type { Etcd3 } from 'etcd3';
import type { Relay } from './relay.ts';
import type { Address, EtcdCredentials } from './target.ts';
import { allowPartialTrustChain } from './tls-connect.ts';

/**
 * Host name sent to servers that are addressed by IP. TLS allows no address there, Node 26 refuses one, and grpc-js
 * knows no "none". No certificate has this name, so if our own identity check were ever left out, nothing would pass.
 */
const nameOfNobody = 'etcd.kbin.invalid';

export interface OpenClient {
  readonly client: Etcd3;
  close(): void;
}

/**
 * The library's client on one connection of ours, verified against the address that was dialled. Nothing is connected
 * until the first call; every call has the deadline; nothing is retried.
 */
export async function openEtcd3(
  address: Address,
  credentials: EtcdCredentials,
  deadlineMs: number,
  relay: Relay,
): Promise<OpenClient> {
  const [{ Etcd3 }, grpc, { noop }] = await Promise.all([
    import('etcd3'),
    import('@grpc/grpc-js'),
    import('cockatiel'),
  ]);
  const channelCredentials =
    address.scheme === 'http'
      ? grpc.credentials.createInsecure()
      : grpc.credentials.createFromSecureContext(secureContext(credentials), {
          // grpc-js would check the name given below; the certificate has to be good for the address that was dialled.
          checkServerIdentity: (_name: string, certificate: PeerCertificate) =>
            checkServerIdentity(address.host, certificate),
        });
  let channel: InstanceType<typeof grpc.Channel> | undefined;
  const client = new Etcd3({
    hosts: `unix:${relay.path}`,
    faultHandling: { global: noop, host: () => noop },
    defaultCallOptions: (call) => (call.isStream ? {} : { deadline: Date.now() + deadlineMs }),
    grpcOptions: {
      'grpc.ssl_target_name_override': isIP(address.host) === 0 ? address.host : nameOfNobody,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1000,
      'grpc.service_config_disable_resolution': 1,
      // etcd3 opens a connection per service and only knows grpc's own identity check; one channel with ours serves all.
      channelFactoryOverride: (to: string, _: unknown, options: object) => {
        if (
          channel === undefined ||
          channel.getConnectivityState(false) === grpc.connectivityState.SHUTDOWN
        ) {
          channel = new grpc.Channel(to, channelCredentials, options);
        }
        return channel;
      },
    },
  });
  return {
    client,
    close: () => {
      // First: etcd3 waits a second for a channel that is still connecting.
      channel?.close();
      client.close();
    },
  };
}

function secureContext(credentials: EtcdCredentials) {
  return createSecureContext({
    minVersion: 'TLSv1.2',
    allowPartialTrustChain,
    ...(credentials.ca === undefined ? {} : { ca: credentials.ca }),
    ...(credentials.cert === undefined ? {} : { cert: credentials.cert }),
    ...(credentials.key === undefined ? {} : { key: credentials.key }),
  });
}
