import { GenericContainer, PullPolicy } from 'testcontainers';

/**
 * One lab host. What systemd needs in a container, without --privileged (which asks for capabilities that a machine
 * inside a sandbox does not have); with the lab's fixed address, so that it survives a power cut.
 */
export class LabContainer extends GenericContainer {
  constructor(image: string) {
    super(image);
    this.withPullPolicy(PullPolicy.neverPull())
      .withAutoCleanup(false)
      .withAddedCapabilities('SYS_ADMIN', 'NET_ADMIN', 'NET_RAW', 'SYS_PTRACE', 'SYSLOG', 'MKNOD')
      .withSecurityOpt('seccomp=unconfined', 'apparmor=unconfined')
      .withTmpFs({ '/run': 'rw,exec', '/tmp': 'rw,exec' });
    // The two lists are what the docker command makes of `--security-opt systempaths=unconfined`. @types/dockerode does
    // not know CgroupnsMode; the engine has since 20.10.
    Object.assign(this.hostConfig, { CgroupnsMode: 'private', MaskedPaths: [], ReadonlyPaths: [] });
  }

  withAddress(network: string, address: string): this {
    this.withNetworkMode(network);
    this.createOpts.NetworkingConfig = {
      EndpointsConfig: { [network]: { IPAMConfig: { IPv4Address: address } } },
    };
    return this;
  }
}
