import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Leaf {
  /** As openssl writes them: `IP:127.0.0.1,DNS:localhost`. */
  readonly sans?: string;
  /** Days from now; negative is the past. Default -1 and 365. */
  readonly from?: number;
  readonly to?: number;
  /** Common name and organisation of the subject. Default the file's name, and none. */
  readonly name?: string;
  readonly organization?: string;
}

/** A CA that openssl keeps in a folder: what kbin makes itself must not be what it is tested with. */
export class Authority {
  readonly folder: string;
  readonly caFile: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.caFile = join(folder, 'ca.crt');
  }

  static async create(folder: string, name = 'etcd-ca'): Promise<Authority> {
    const authority = new Authority(folder);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'index.txt'), '');
    await writeFile(join(folder, 'openssl.cnf'), configuration);
    await authority.openssl(
      ...`req -x509 -config openssl.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650`.split(
        ' ',
      ),
      ...['-extensions', 'authority', '-subj', `/CN=${name}`, '-keyout', 'ca.key', '-out', 'ca.crt'],
    );
    return authority;
  }

  /** Makes NAME.crt and NAME.key, over former ones. Returns their paths. */
  async issue(name: string, leaf: Leaf = {}): Promise<{ cert: string; key: string }> {
    await this.openssl(
      ...'req -config openssl.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'.split(' '),
      ...['-subj', subject(leaf.name ?? name, leaf.organization)],
      ...['-keyout', `${name}.key`, '-out', `${name}.csr`],
    );
    const extensions = [
      'keyUsage=critical,digitalSignature,keyEncipherment',
      'extendedKeyUsage=serverAuth,clientAuth',
      ...(leaf.sans === undefined ? [] : [`subjectAltName=${leaf.sans}`]),
    ];
    await writeFile(join(this.folder, `${name}.ext`), `${extensions.join('\n')}\n`);
    await this.openssl(
      ...`ca -batch -notext -config openssl.cnf -in ${name}.csr -out ${name}.crt`.split(' '),
      ...['-extfile', `${name}.ext`, '-startdate', date(leaf.from ?? -1), '-enddate', date(leaf.to ?? 365)],
    );
    return { cert: this.path(`${name}.crt`), key: this.path(`${name}.key`) };
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  read(file: string): Promise<string> {
    return readFile(this.path(file), 'utf8');
  }

  private async openssl(...argv: string[]): Promise<void> {
    await run('openssl', argv, { cwd: this.folder });
  }
}

function subject(name: string, organization: string | undefined): string {
  return `${organization === undefined ? '' : `/O=${organization}`}/CN=${name}`;
}

const configuration = `
[req]
distinguished_name = name
[name]
[ca]
default_ca = here
[here]
database = index.txt
new_certs_dir = .
certificate = ca.crt
private_key = ca.key
default_md = sha256
policy = any
unique_subject = no
rand_serial = yes
[any]
organizationName = optional
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
`;

/** YYYYMMDDHHMMSSZ */
function date(daysFromNow: number): string {
  const at = new Date(Date.now() + daysFromNow * 86_400_000).toISOString();
  return `${at.slice(0, 19).replaceAll(/[-T:]/g, '')}Z`;
}
