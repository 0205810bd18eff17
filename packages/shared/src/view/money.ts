/** ISO 4217: how many digits of the minor unit, for the currencies that people pay with. */
const minorDigits: Record<string, number> = {
  ...digits(0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"),
  ...digits(
    2,
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG",
  ),
  ...digits(3, "BHD IQD JOD KWD LYD OMR TND"),
};

function digits(count: number, currencies: string): Record<string, number> {
  return Object.fromEntries(currencies.split(" ").map((currency) => [currency, count]));
}

/**
 * `12 345.67 EUR` for 1234567 minor units. Spaces group, so that a comma or a full stop is never a question.
 * @returns undefined where the currency's minor unit is not known here, or the amount is no whole number
 */
export function formatMoney(minorUnits: number, currency: string): string | undefined {
  if (!Number.isSafeInteger(minorUnits) || !Object.hasOwn(minorDigits, currency)) return undefined;
  const count = minorDigits[currency] as number;
  const padded = String(Math.abs(minorUnits)).padStart(count + 1, "0");
  const whole = padded.slice(0, padded.length - count).replace(/\B(?=(\d{3})+$)/g, " ");
  const fraction = count === 0 ? "" : `.${padded.slice(-count)}`;
  return `${minorUnits < 0 ? "-" : ""}${whole}${fraction} ${currency}`;
}
