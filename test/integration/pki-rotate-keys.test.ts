/** `kbin pki rotate encryption-key` and `service-account` on a live control plane, with clients that write and read all the time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keyIdOf } from '../../src/ca/rotate-service-account.ts';
import { isEmpty } from '../../src/diff/changes.ts';
import { openApi } from '../../src/health/api-client.ts';
import { etcdCredentials, etcdTargets } from '../../src/health/of-cluster.ts';
import { readStoredWith } from '../../src/health/stored-form.ts';
import { keyIdIn } from '../../src/health/token-keys.ts';
import { programFolder } from '../cli/transcript.ts';
import { type Lab, startHosts } from '../lab/lab.ts';
import { until } from '../lab/until.ts';
import { ControlPlane } from './control-plane.ts';
import type { Run } from './execute.ts';
import { SecretReader, SecretWriter } from './secret-client.ts';

const names = ['node1', 'node2', 'node3'];
let lab: Lab;
let plane: ControlPlane;

beforeAll(async () => {
  [lab] = await Promise.all([startHosts({ names }), programFolder()]);
  plane = await ControlPlane.create(lab, {
    // So long a 1.20 waits for watches when it is told to stop: only the tests' patience is short.
    kubernetes:
      'encryption: { resources: [secrets, configmaps] }\napiserver: { flags: { request-timeout: 5s } }',
  });
  await plane.deploy();
  await plane.deployControlPlane();
});
afterAll(async () => {
  await plane?.remove();
  await lab?.stop();
});

const rotate = (...argv: string[]): Promise<Run> => plane.kbin('pki', 'rotate', ...argv);
/** Of a run that must succeed. */
async function phaseAfter(...argv: string[]): Promise<string> {
  const { code, stdout, stderr } = await rotate(...argv, '--json');
  if (code !== 0) throw new Error(`kbin pki rotate ${argv.join(' ')} → ${code}: ${stderr}${stdout}`);
  return (JSON.parse(stdout) as { phase: string }).phase;
}

/** kbin as a process of its own that is killed as soon as it has said something like this. */
async function killedAt(said: RegExp, ...argv: string[]): Promise<void> {
  const kbin = spawn(join(await programFolder(), 'kbin'), ['pki', 'rotate', ...argv], { cwd: plane.folder });
  let heard = '';
  const listen = (chunk: Buffer) => {
    heard += chunk.toString();
    if (said.test(heard)) kbin.kill('SIGKILL');
  };
  kbin.stderr.on('data', listen);
  kbin.stdout.on('data', listen);
  const [, signal] = (await once(kbin, 'close')) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error(`was not killed at ${said}: ${heard}`);
}

const inStore = (path: string) => join(plane.folder, 'pki', path);
const orderOf = () => readFileSync(inStore('encryption-key/order'), 'utf8').trim().split('\n');
const storedWith = async (...keys: string[]) => {
  const targets = etcdTargets(await plane.cluster(), await plane.connect());
  const stored = await readStoredWith(
    targets,
    await etcdCredentials(await plane.store()),
    '/registry',
    keys,
    10_000,
  );
  if (!('found' in stored)) throw new Error(stored.message);
  return stored.found;
};

/** While `work` goes on, a client writes Secrets and another reads all of them through every apiserver. */
async function whileClientsWork(work: () => Promise<void>): Promise<void> {
  const [targets, credentials] = [await plane.apiTargets(), await plane.apiCredentials()];
  const [writer, reader] = [new SecretWriter(targets, credentials), new SecretReader(targets, credentials)];
  writer.start();
  reader.start();
  try {
    await work();
  } finally {
    await writer.stop();
    await reader.stop();
  }
  expect(writer.outages).toEqual([]);
  expect([...reader.unreadable, ...reader.lost]).toEqual([]);
  // Both were there all the time: otherwise they would prove nothing.
  expect(writer.written).toBeGreaterThan(50);
  expect(reader.rounds).toBeGreaterThan(50);
}

/** After a run that was killed while it restarted one of them. */
async function allReady(): Promise<void> {
  for (const name of names) {
    await until(`the apiserver of ${name} is ready`, async () => {
      return (await plane.kubectl(name, 'get', '--raw', '/readyz')) === 'ok' || undefined;
    });
  }
}

describe('the encryption key', () => {
  test('is replaced while clients write and read, and every phase that is cut off is carried on', {
    timeout: 900_000,
  }, async () => {
    await plane.kubectl('node1', 'create', 'configmap', 'before', '--from-literal=is=kept');
    expect(await storedWith('key1')).toContain('configmaps/default/before');
    await whileClientsWork(async () => {
      await killedAt(/node2.*kube-apiserver/, 'encryption-key');
      expect(orderOf()).toEqual(['key1', 'key2']);
      expect(await phaseAfter('encryption-key')).toBe('read');
      expect(await storedWith('key2')).toEqual([]);

      await killedAt(/node2.*kube-apiserver: restart/, 'encryption-key');
      expect(orderOf()).toEqual(['key2', 'key1']);
      expect(await phaseAfter('encryption-key')).toBe('write');
      const old = await storedWith('key1');
      expect(old.length).toBeGreaterThan(0);
      expect(await storedWith('key2')).not.toEqual([]);

      await killedAt(/secrets: \d+ written again/, 'encryption-key');
      expect(await phaseAfter('encryption-key')).toBe('rewrite');
      expect(await storedWith('key1')).toEqual([]);
      expect(await storedWith('key2')).toEqual(expect.arrayContaining([...old]));
    });
  });

  test('stays where an apiserver that kbin does not know writes with the old one', {
    timeout: 300_000,
  }, async () => {
    const stop = await oldApiserver();
    try {
      const behind = { metadata: { name: 'behind' }, stringData: { is: 'written with key1' } };
      const [target] = await plane.apiTargets();
      if (target === undefined) throw new Error('no apiserver');
      const client = openApi({ ...target, port: 7443 }, await plane.apiCredentials(), 10_000);
      await client.send({ method: 'POST', path: '/api/v1/namespaces/default/secrets', body: behind });
      client.close();
    } finally {
      await stop();
    }
    expect(await storedWith('key1')).toEqual(['secrets/default/behind']);
    const { code, stderr } = await rotate('encryption-key');
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /were encrypted with key1 after all had been written again[\s\S]*secrets\/default\/behind[\s\S]*find and stop it/,
      ),
    });
    expect(orderOf()).toEqual(['key2', 'key1']);
    expect(await plane.kubectl('node2', 'get', 'secret', 'behind', '-o', 'jsonpath={.data.is}')).toBe(
      Buffer.from('written with key1').toString('base64'),
    );
  });

  test('goes to the archive once nothing needs it, and no apiserver has it any more', {
    timeout: 600_000,
  }, async () => {
    await whileClientsWork(async () => {
      await killedAt(/node2.*kube-apiserver: restart/, 'encryption-key');
      expect(orderOf()).toEqual(['key2']);
      expect(await phaseAfter('encryption-key')).toBe('rest');
    });
    expect(existsSync(inStore('archive/encryption-key/key1.key'))).toBe(true);
    for (const name of names) {
      // Of what its process was started with; the folder of before stays beside it until the next change.
      const files = await lab
        .host(name)
        .sh(
          'cat $(tr "\\0" "\\n" </proc/$(pidof kube-apiserver)/cmdline | sed -n "s/^--encryption-provider-config=//p")',
        );
      expect(files).toContain('key2');
      expect(files).not.toContain(readFileSync(inStore('archive/encryption-key/key1.key'), 'utf8').trim());
      expect(await plane.kubectl(name, 'get', 'configmap', 'before', '-o', 'jsonpath={.data.is}')).toBe(
        'kept',
      );
    }
    expect(isEmpty((await plane.deployControlPlane()).plan)).toBe(true);
    expect((await plane.kbin('verify')).code).toBe(0);
  });
});

/** kube-apiserver on node1 as it was in the phase before: with key1 first, on another port. Returns how to stop it. */
async function oldApiserver(): Promise<() => Promise<void>> {
  const node1 = lab.host('node1');
  const script = `set -e
pid=$(pidof kube-apiserver)
mapfile -d '' -t argv </proc/$pid/cmdline
user=$(stat -c %U /proc/$pid)
for index in "\${!argv[@]}"; do
  case \${argv[index]} in
    --encryption-provider-config=*)
      awk '/name: "key2"/ { held = $0; getline; held = held "\\n" $0; next }
        { print }
        /name: "key1"/ { getline; print; print held }' "\${argv[index]#*=}" >/run/old-encryption.yaml
      argv[index]=--encryption-provider-config=/run/old-encryption.yaml ;;
    --secure-port=*) argv[index]=--secure-port=7443 ;;
    --audit-log-path=*) argv[index]=--audit-log-path=- ;;
  esac
done
chown "$user" /run/old-encryption.yaml
systemd-run --unit=old-apiserver --uid="$user" "\${argv[@]}"`;
  await node1.run('bash', '-c', script);
  const [target] = await plane.apiTargets();
  if (target === undefined) throw new Error('no apiserver');
  const client = openApi({ ...target, port: 7443 }, await plane.apiCredentials(), 5000);
  await until(
    'the old apiserver is ready',
    async (saw) => {
      const answer = await client.get('/readyz').catch((error: unknown) => String(error));
      return (typeof answer !== 'string' && answer.status === 200) || saw(JSON.stringify(answer));
    },
    { timeoutMs: 60_000, everyMs: 500 },
  );
  client.close();
  return async () => {
    await node1.sh('systemctl stop old-apiserver');
  };
}

describe('the service-account key', () => {
  const kidInUse = () => keyIdOf(readFileSync(inStore('service-account/sa.pub'), 'utf8'));

  const tokenFor = async (through: string, account: string) => {
    const client = await plane.api(through);
    try {
      const { status } = await client.send<{ status: { token: string } }>({
        method: 'POST',
        path: `/api/v1/namespaces/default/serviceaccounts/${account}/token`,
        body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
      });
      return status.token;
    } finally {
      client.close();
    }
  };
  /** Of the Secret that kube-controller-manager made for the account. */
  const legacyToken = async (account: string) => {
    const secret = await plane.kubectl('node1', 'get', 'sa', account, '-o', 'jsonpath={.secrets[0].name}');
    const token = await plane.kubectl('node1', 'get', 'secret', secret, '-o', 'jsonpath={.data.token}');
    return { secret, token: Buffer.from(token, 'base64').toString() };
  };
  /** Which apiservers accept it. */
  const acceptedBy = async (token: string) => {
    const credentials = await plane.apiCredentials();
    const found = await Promise.all(
      (await plane.apiTargets()).map(async (target) => {
        // As a Pod: with nothing but the token, to see what everybody may see.
        const client = openApi(target, credentials, 10_000);
        try {
          const { status } = await client.send<{ status: { authenticated?: boolean } }>({
            method: 'POST',
            path: '/apis/authentication.k8s.io/v1/tokenreviews',
            body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } },
          });
          return status.authenticated === true ? [target.name] : [];
        } finally {
          client.close();
        }
      }),
    );
    return found.flat();
  };

  test('is replaced without a refused token, until the old one is dropped on purpose', {
    timeout: 900_000,
  }, async () => {
    await plane.kubectl('node1', 'create', 'serviceaccount', 'worker');
    await until('the account has its Secret', async (saw) => {
      const found = await plane.kubectl('node1', 'get', 'sa', 'worker', '-o', 'jsonpath={.secrets}');
      return found !== '' || saw('none');
    });
    const [oldKid, old, legacy] = [
      kidInUse(),
      await tokenFor('node1', 'worker'),
      await legacyToken('worker'),
    ];
    expect([keyIdIn(old), keyIdIn(legacy.token)]).toEqual([oldKid, oldKid]);

    await whileClientsWork(async () => {
      await killedAt(/node2.*kube-apiserver/, 'service-account');
      expect(await phaseAfter('service-account')).toBe('verify');
      expect(kidInUse()).toBe(oldKid);
      expect(keyIdIn(await tokenFor('node2', 'worker'))).toBe(oldKid);

      await killedAt(/node2.*kube-apiserver: restart/, 'service-account');
      expect(kidInUse()).not.toBe(oldKid);
      await allReady();
      // One apiserver signs with the new key, another still with the old one, and all accept both.
      for (const name of names) expect(await acceptedBy(await tokenFor(name, 'worker'))).toEqual(names);
      expect(await phaseAfter('service-account')).toBe('sign');
      for (const name of names) {
        const token = await tokenFor(name, 'worker');
        expect(keyIdIn(token)).toBe(kidInUse());
        expect(await acceptedBy(token)).toEqual(names);
      }
      expect(await acceptedBy(old)).toEqual(names);
      expect(await acceptedBy(legacy.token)).toEqual(names);
    });

    // Nobody knows that no such token is left.
    const early = await rotate('service-account');
    expect(early).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/may live until \d{4}-\d\d-\d\dT[\d:.]+Z[\s\S]*--drop-tokens/),
    });
    const note = readFileSync(inStore('previous/service-account/sa.signed-until'), 'utf8').trim();
    expect(early.stderr).toContain(`signed until ${note}`);
    expect((await legacyToken('worker')).token).toBe(legacy.token);

    await killedAt(/hold a token without an end/, 'service-account', '--drop-tokens');
    const fresh = await tokenFor('node3', 'worker');
    await whileClientsWork(async () => {
      const dropped = await rotate('service-account', '--drop-tokens');
      expect(dropped).toMatchObject({ code: 0 });
    });
    const again = await legacyToken('worker');
    expect(again.secret).toBe(legacy.secret);
    expect(keyIdIn(again.token)).toBe(kidInUse());
    expect(await acceptedBy(again.token)).toEqual(names);
    expect(await acceptedBy(fresh)).toEqual(names);
    expect(await acceptedBy(old)).toEqual([]);
    expect(await acceptedBy(legacy.token)).toEqual([]);
    // Every one of them, in every namespace.
    const all = await plane.kubectl(
      'node1',
      ...['get', 'secrets', '-A', '--field-selector', 'type=kubernetes.io/service-account-token'],
      ...['-o', 'jsonpath={range .items[*]}{.data.token}{"\\n"}{end}'],
    );
    const kidsOf = all
      .trim()
      .split('\n')
      .map((line) => keyIdIn(Buffer.from(line, 'base64').toString()));
    expect(kidsOf.length).toBeGreaterThan(10);
    expect(new Set(kidsOf)).toEqual(new Set([kidInUse()]));
    expect(readdirSync(inStore('archive/service-account'))).toHaveLength(3);
    expect(existsSync(inStore('previous/service-account/sa.pub'))).toBe(false);
    expect(isEmpty((await plane.deployControlPlane()).plan)).toBe(true);
    expect((await plane.kbin('verify')).code).toBe(0);
  });
});
