/** Who the relying party is. `issuer` and `origin` are separate members, equal in version 1 (section 7). */
export interface Site {
  issuer: string;
  rp_id: string;
  origin: string;
}
