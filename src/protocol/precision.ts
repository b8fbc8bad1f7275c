/** How convolutions are computed: `auto` takes int8 where a model has it and it is no worse. */
export const PRECISIONS = ['auto', 'fp32', 'int8'] as const;
export type Precision = (typeof PRECISIONS)[number];

/** What was computed in, as a record says. */
export type ConcretePrecision = Exclude<Precision, 'auto'>;
