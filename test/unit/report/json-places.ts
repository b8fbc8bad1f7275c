/** A value as it stands in a JSON file. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
/** The keys that lead from a JSON value to one inside it. */
export type Place = ReadonlyArray<string | number>;

/** `value` with what stands at `place` replaced; undefined removes it. */
export function replaced(value: Json, place: Place, by: Json | undefined): Json {
  const [key, ...rest] = place;
  if (key === undefined) return by ?? null;
  if (Array.isArray(value)) {
    const copy = [...value];
    if (rest.length === 0 && by === undefined) copy.splice(Number(key), 1);
    else copy[Number(key)] = replaced(copy[Number(key)] ?? null, rest, by);
    return copy;
  }
  if (typeof value !== 'object' || value === null) return value;
  const copy = { ...value };
  if (rest.length === 0 && by === undefined) delete copy[key];
  else copy[key] = replaced(copy[key] ?? null, rest, by);
  return copy;
}

/** Every place of a JSON value. */
export function placesOf(value: Json, here: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return [here];
  return [here, ...Object.entries(value).flatMap(([key, inner]) => placesOf(inner, [...here, key]))];
}
