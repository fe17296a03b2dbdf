// npm's oidc-provider as an authorization server for MCP: JWT access tokens by resource (RFC 8707, RFC 9068),
// private_key_jwt, PKCE, registration, Client ID Metadata Documents, DPoP. What a test turns is below /_test.
// It says `{"issuer": …}` on stdout when it listens, reads one JSON document from its first argument, and
// ends with its stdin.
import { createServer } from 'node:http';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const settings = JSON.parse(process.argv[2]);
const require = createRequire(settings.modules);
const { default: Provider, errors } = await import(pathToFileURL(require.resolve('oidc-provider')));

const key = (kind, options, alg) => ({
  ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }), use: 'sig', alg, kid: randomUUID(),
});
const ec = () => key('ec', { namedCurve: 'P-256' }, 'ES256');
const rsa = key('rsa', { modulusLength: 2048 }, 'RS256');
let keys = [ec()];
let provider;
let listening = () => {};
const broken = { jwks: false, discovery: false };
const asked = {};

function build(issuer) {
  provider = new Provider(issuer, {
    jwks: { keys: [...keys, rsa] },
    clients: settings.clients,
    clientAuthMethods: ['private_key_jwt', 'none'],
    clientDefaults: { id_token_signed_response_alg: 'ES256', token_endpoint_auth_method: 'none' },
    enabledJWA: { clientAuthSigningAlgValues: ['ES256'] },
    scopes: ['openid', ...new Set(Object.values(settings.resources).flat())],
    fetch: async (url) => (String(url) in settings.documents
      ? Response.json(settings.documents[url])
      : new Response('', { status: 404 })),
    features: {
      clientCredentials: { enabled: true },
      dPoP: { enabled: true },
      registration: { enabled: true },
      registrationManagement: { enabled: true },
      clientIdMetadataDocument: { enabled: true, ack: 'draft-02' },
      resourceIndicators: {
        enabled: true,
        defaultResource: async () => undefined,
        useGrantedResource: async () => true,
        getResourceServerInfo: async (_, resource) => {
          if (!(resource in settings.resources)) throw new errors.InvalidTarget();
          return {
            scope: settings.resources[resource].join(' '), audience: resource, accessTokenTTL: 300,
            accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } },
          };
        },
      },
    },
    findAccount: async (_, sub) => ({ accountId: sub, claims: async () => ({ sub }) }),
    pkce: { required: () => true },
    ttl: { Grant: 600, Session: 600, Interaction: 600, AuthorizationCode: 60, IdToken: 300 },
  });
  listening = provider.callback();
}

const turned = {
  // a new key signs, the old ones stay in the set
  rotate: () => { keys = [ec(), ...keys]; build(provider.issuer); },
  // and now they leave it
  withdraw: () => { keys = keys.slice(0, 1); build(provider.issuer); },
  'jwks-down': () => { broken.jwks = true; },
  'jwks-up': () => { broken.jwks = false; },
  asked: () => {},
};

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://127.0.0.1');
  if (pathname.startsWith('/_test/')) {
    turned[pathname.slice('/_test/'.length)]();
    response.setHeader('content-type', 'application/json');
    return response.end(JSON.stringify({ asked, kid: keys[0].kid }));
  }
  asked[pathname] = (asked[pathname] ?? 0) + 1;
  if (broken.jwks && pathname === '/jwks') {
    response.statusCode = 503;
    return response.end();
  }
  return listening(request, response);
});
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  build(issuer);
  console.log(JSON.stringify({ issuer }));
});
process.stdin.resume().on('end', () => process.exit(0));
