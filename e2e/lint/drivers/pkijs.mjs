// Judges chains with PKI.js. Reads "directory TAB hostname TAB purpose" lines, answers each with
// "accept" or "reject TAB reason". PKI.js takes neither a hostname nor a purpose.

import { readFileSync } from 'node:fs';
import { Certificate, CertificateChainValidationEngine } from 'pkijs';

const block = /-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g;

const read = (file) =>
  [...readFileSync(file, 'utf8').matchAll(block)].map(([, base64]) =>
    Certificate.fromBER(Uint8Array.from(Buffer.from(base64, 'base64'))),
  );

async function judge(directory) {
  const chain = read(`${directory}/chain.pem`);
  const engine = new CertificateChainValidationEngine({
    trustedCerts: read(`${directory}/root.pem`),
    certs: chain.reverse(), // the end entity comes last
  });
  const { result, resultCode, resultMessage } = await engine.verify();
  return result ? 'accept' : `reject\t${resultCode} ${resultMessage}`.replaceAll('\n', ' ');
}

for (const line of readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  console.log(await judge(line.split('\t')[0]));
}
