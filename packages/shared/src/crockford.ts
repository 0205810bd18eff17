/** Crockford's base32: no letter that is taken for a digit when it is read aloud or typed. */
export const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
