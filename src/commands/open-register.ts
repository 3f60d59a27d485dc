/** Wires what an API process knows of users, keys, ended tokens and the identity provider. */
import { AccessRegister } from "../api/auth/access-register.ts";
import { BulkNotes } from "../api/auth/bulk-notes.ts";
import { JwksSource } from "../api/auth/jwks-source.ts";
import { type OutsideIdentity, OutsideTokens } from "../api/auth/outside-tokens.ts";
import { providerMetrics } from "../api/auth/provider-metrics.ts";
import { systemClock } from "../ops/clock.ts";
import { AccessStore } from "../store/access.ts";
import { ApiKeyStore } from "../store/api-keys.ts";
import type { Wiring } from "./wiring.ts";

/** Who may is known before the first request comes. */
export async function openRegister(wiring: Wiring) {
  const { database, log, stopping } = wiring;
  const accessStore = new AccessStore(database);
  const register = new AccessRegister({ store: accessStore, clock: systemClock, log });
  await register.start();
  stopping.last("register of users", () => register.stop());
  const keyUses = new BulkNotes<number>({
    what: "the last use of keys",
    write: (uses) => accessStore.noteUses(uses),
    log,
  });
  keyUses.start();
  stopping.last("last use of keys", () => keyUses.stop());
  const identities = new BulkNotes<OutsideIdentity>({
    what: "outside identities",
    write: (notes) => accessStore.noteIdentities(notes),
    log,
  });
  identities.start();
  stopping.last("outside identities", () => identities.stop());
  const outside = openProvider(wiring);
  return { accessStore, register, keyUses, identities, outside, apiKeys: new ApiKeyStore(database) };
}

/** Null without OIDC_JWKS_URL; with it the configuration has issuer and audience, too. */
function openProvider({ config, log, metrics, stopping }: Wiring): OutsideTokens | null {
  const { OIDC_JWKS_URL: url, OIDC_ISSUER: issuer, OIDC_AUDIENCE: audience } = config;
  if (url === undefined || issuer === undefined || audience === undefined) return null;
  const looks = providerMetrics(metrics, () => keys.age_ms);
  const keys = new JwksSource({ url, clock: systemClock, log, onLook: looks });
  keys.start();
  stopping.last("keys of the identity provider", () => keys.stop());
  const settings = {
    issuer,
    audience,
    role_claim: config.OIDC_ROLE_CLAIM,
    name_claim: config.OIDC_NAME_CLAIM,
    systems_claim: config.OIDC_SYSTEMS_CLAIM,
  };
  return new OutsideTokens(settings, keys, systemClock);
}
