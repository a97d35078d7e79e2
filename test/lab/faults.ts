import type { Container } from './engine.ts';

/** What can go wrong with a host, staged within its container only: the machine's clock, disk and links stay as they are. */
export abstract class Faults {
  abstract readonly container: Container;
  abstract readonly address: string;
  abstract run(...argv: string[]): Promise<string>;
  abstract sh(script: string): Promise<string>;
  abstract ready(timeoutMs?: number): Promise<void>;

  /** Freezes every process: connections stay open and nothing answers. */
  pause = async () => void (await this.container.pause());
  unpause = async () => void (await this.container.unpause());

  /** A power cut: no process gets to say goodbye, /run and /tmp are lost, the disk stays. */
  kill = async () => void (await this.container.kill());

  /** Power back on; returns when the host has booted. Same address as before. */
  async start(): Promise<void> {
    await this.container.start();
    await this.ready();
  }

  /** Pulls the network cable: packets go nowhere, and nobody is told. Put back with connect(). */
  async disconnect(): Promise<void> {
    await this.run('ip', 'link', 'set', 'dev', 'eth0', 'down');
  }

  /** Puts the cable back, with the default route that went with it. */
  async connect(): Promise<void> {
    const gateway = this.address.replace(/\d+$/, '1');
    await this.sh(`ip link set dev eth0 up; ip route replace default via ${gateway}`);
  }

  /**
   * Moves the clock of every process that starts from now on by `seconds`; 0 puts it right. (libfaketime, preloaded by
   * the container's dynamic linker: what an SSH session runs sees it, also behind sudo; Go programs do not.)
   */
  async setClock(seconds: number): Promise<void> {
    if (seconds === 0) {
      await this.run('rm', '-f', '/etc/ld.so.preload', '/etc/faketimerc');
      return;
    }
    const offset = seconds > 0 ? `+${seconds}` : `${seconds}`;
    await this.sh(
      `echo '${offset}' >/etc/faketimerc; ls /usr/lib/*/faketime/libfaketime.so.1 >/etc/ld.so.preload.new
       mv /etc/ld.so.preload.new /etc/ld.so.preload`,
    );
  }

  /**
   * Puts a small disk of its own under `folder`, with what is in it, and fills it up to `freeKiB`. Processes that have
   * files open there keep the former disk. freeDisk() takes it away, with everything written meanwhile.
   */
  async fillDisk(folder: string, freeKiB = 0): Promise<void> {
    await this.sh(
      `mkdir -p '${folder}'
       kib=$(du -sk '${folder}' | cut -f 1)
       mkdir -p /run/lab-disk && mount -t tmpfs -o "mode=0755,size=$((kib + ${freeKiB} + 1024))k" lab-disk /run/lab-disk
       cp -a '${folder}/.' /run/lab-disk/
       mount --move /run/lab-disk '${folder}'
       available=$(df -k --output=avail '${folder}' | tail -n 1)
       head -c "$(( (available - ${freeKiB}) * 1024 ))" /dev/zero >'${folder}/.ballast'`,
    );
  }

  freeDisk = async (folder: string) => void (await this.run('umount', folder));

  /** Has another program listen on `port`, on every address. */
  async occupyPort(port: number): Promise<void> {
    await this.run(
      'systemd-run',
      '--quiet',
      '--unit',
      `lab-port-${port}`,
      'socat',
      `TCP6-LISTEN:${port},ipv6only=0,fork`,
      'EXEC:cat',
    );
    await this.sh(
      `for i in $(seq 100); do ss -Hltn 'sport = :${port}' | grep -q . && exit 0; sleep 0.1; done; exit 1`,
    );
  }

  releasePort = async (port: number) => void (await this.run('systemctl', 'stop', `lab-port-${port}`));
}
