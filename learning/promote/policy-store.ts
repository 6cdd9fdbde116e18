// Signed policies in a folder: what a candidate is, where it comes from, and who vouches for it. A document is named after the
// SHA-256 of its canonical text and never changes; its signature (Ed25519, RFC 8032) is over that text; the weights of a learned
// policy lie beside it under their own hash. Reading checks both hash and signature, so that nothing is trusted for where it lies.

import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SiraError } from '../../core/base/errors.ts';
import type { Profile } from '../../core/scheduler/framework.ts';

/** What a policy is and how it came to be. */
export interface PolicyDocument {
  readonly format: 'sira-policy';
  readonly formatVersion: 1;
  readonly name: string;
  /** Without the weights, which `weightsSha256` names. */
  readonly policy: Partial<Omit<Profile, 'artifact'>>;
  readonly weightsSha256: string | null;
  /** Hashes of the documents that it was made from: the policy that it refines, the incumbent that it was trained against. */
  readonly parents: readonly string[];
  /** What anyone needs to make it again: code, data, seed, command. */
  readonly lineage: Readonly<Record<string, string | number>>;
  readonly createdAt: string;
  readonly createdBy: string;
}

export interface SignedPolicy {
  readonly hash: string;
  readonly document: PolicyDocument;
  /** Of the public key, SHA-256 of its DER, first 16 hex digits. */
  readonly signer: string;
  readonly weights: Uint8Array | undefined;
}

interface Signature {
  readonly algorithm: 'Ed25519';
  readonly publicKey: string;
  readonly signature: string;
}

export class PolicyStore {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Keeps a policy and returns its hash. The same document again changes nothing. `privateKey`: PEM. */
  put(document: PolicyDocument, privateKey: string, weights?: Uint8Array): string {
    const weightsHash = weights === undefined ? null : hashOf(weights);
    if (weightsHash !== document.weightsSha256)
      throw new SiraError('SIRA_POLICY_UNTRUSTED', 'the weights are not those that the document names');
    for (const parent of document.parents) this.get(parent);
    const text = canonical(document);
    const hash = hashOf(text);
    const key = createPrivateKey(privateKey);
    const signature: Signature = {
      algorithm: 'Ed25519',
      publicKey: createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString(),
      signature: sign(null, Buffer.from(text), key).toString('base64'),
    };
    const place = join(this.folder, hash);
    if (existsSync(join(place, 'signature.json'))) return hash;
    mkdirSync(place, { recursive: true });
    if (weights !== undefined) writeOnce(join(place, 'weights.safetensors'), weights);
    writeOnce(join(place, 'policy.json'), text);
    writeOnce(join(place, 'signature.json'), `${JSON.stringify(signature, null, 2)}\n`);
    return hash;
  }

  /** Throws SIRA_FILE_MISSING, or SIRA_POLICY_UNTRUSTED if anything was changed or signed by none of `trusted` (public keys, PEM; any
   *  signer will do if it is left out). A prefix of the hash is enough where it is unambiguous. */
  get(prefix: string, trusted?: readonly string[]): SignedPolicy {
    const matches = this.hashes().filter((hash) => hash.startsWith(prefix));
    const [hash] = matches;
    if (prefix === '' || hash === undefined || matches.length > 1) {
      const what =
        matches.length > 1 ? `${matches.length} policies begin with "${prefix}"` : `no policy begins with "${prefix}"`;
      throw new SiraError('SIRA_FILE_MISSING', what, { file: this.folder });
    }
    const place = join(this.folder, hash);
    const text = readFileSync(join(place, 'policy.json'), 'utf8');
    const untrusted = (why: string): SiraError => new SiraError('SIRA_POLICY_UNTRUSTED', why, { file: place });
    if (hashOf(text) !== hash) throw untrusted('the document is not the one that its name says');
    const { publicKey, signature } = JSON.parse(readFileSync(join(place, 'signature.json'), 'utf8')) as Signature;
    const key = createPublicKey(publicKey);
    if (key.asymmetricKeyType !== 'ed25519' || !verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64')))
      throw untrusted('the signature is not of this document');
    const signer = fingerprintOf(publicKey);
    if (trusted !== undefined && !trusted.some((each) => fingerprintOf(each) === signer))
      throw untrusted(`it is signed by ${signer}, who is not trusted`);
    const document = JSON.parse(text) as PolicyDocument;
    const weights = document.weightsSha256 === null ? undefined : readFileSync(join(place, 'weights.safetensors'));
    if (weights !== undefined && hashOf(weights) !== document.weightsSha256)
      throw untrusted('the weights were changed');
    return { hash, document, signer, weights };
  }

  /** Hashes of all policies. */
  hashes(): string[] {
    if (!existsSync(this.folder)) return [];
    return readdirSync(this.folder)
      .filter((name) => /^[0-9a-f]{64}$/.test(name) && existsSync(join(this.folder, name, 'signature.json')))
      .sort((left, right) => (left < right ? -1 : 1));
  }

  /** The policy and all that it comes from, nearest first, each once. */
  lineage(prefix: string): SignedPolicy[] {
    const found = new Map<string, SignedPolicy>();
    const wanted = [prefix];
    for (let next = wanted.shift(); next !== undefined; next = wanted.shift()) {
      const policy = this.get(next);
      if (found.has(policy.hash)) continue;
      found.set(policy.hash, policy);
      wanted.push(...policy.document.parents);
    }
    return [...found.values()];
  }
}

/** A new pair of keys, PEM. */
export function createSigningKeys(): { readonly privateKey: string; readonly publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

/** JSON with the names of every object in order: one text for one document. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)))
      : part,
  );
}

function hashOf(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function fingerprintOf(publicKey: string): string {
  return hashOf(createPublicKey(publicKey).export({ type: 'spki', format: 'der' })).slice(0, 16);
}

function writeOnce(file: string, content: string | Uint8Array): void {
  // What lies there from a write that was cut off has no signature yet, and is written anew.
  writeFileSync(file, content, { mode: 0o444 });
}
