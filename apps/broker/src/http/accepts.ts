/** RFC 9110 section 12.5.3, for one encoding by its name. */
export const accepts = (header: string | undefined, encoding: string): boolean =>
  (header ?? "").split(",").some((part) => {
    const [name = "", weight = "1"] = part.split(/;\s*q=/i);
    return name.trim().toLowerCase() === encoding && Number(weight) > 0;
  });
