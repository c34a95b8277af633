// The OpenID provider of the tests: oidc-provider itself, whose people sign in by being named.
//
// node provider.mjs REDIRECT_URI...: prints its issuer, and reads a line of JSON for each change: the claims of whoever
// signs in next, or null for somebody who refuses.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import Provider from 'oidc-provider';

console.info = console.warn = () => {}; // its advice for production would stand among our answers
const [client_id, client_secret, ...redirect_uris] = process.argv.slice(2);
let person = null;
const known = new Map();
const server = createServer();

const configuration = (issuer) => ({
  clients: [{ client_id, client_secret, redirect_uris, post_logout_redirect_uris: redirect_uris.map((uri) => new URL('/sign-in', uri).href) }],
  cookies: { keys: ['of-a-test'] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
  features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
  pkce: { required: () => true },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => known.get(id) }),
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope('openid email profile groups');
    await grant.save();
    return grant;
  },
});

server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, configuration(issuer));
  const answer = provider.callback();
  server.on('request', (request, response) => {
    if (!request.url.startsWith('/interaction/')) return answer(request, response);
    const result = person === null
      ? { error: 'access_denied', error_description: 'refused' }
      : { login: { accountId: person.sub, remember: false } };
    if (person !== null) known.set(person.sub, person);
    return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  });
  createInterface({ input: process.stdin }).on('line', (line) => {
    person = JSON.parse(line);
    console.log('ok');
  }).on('close', () => process.exit(0));
  console.log(issuer);
});
