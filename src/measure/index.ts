export { CHANNELS, assertSameSize, type Pixels } from './pixels';
export { greyToRgb, luma, lumaOf } from './colour';
export { lumaPlane, rgbPlane, type Plane } from './plane';
export { meanSquaredError, psnr, psnrOfError } from './psnr';
export { WINDOW, ssim, ssimWindows } from './ssim';
export {
  createReference,
  measurePair,
  psnrOfPair,
  ssimOfPair,
  type PairMetrics,
  type ProtocolOptions,
  type Reference,
} from './protocols';
export { createFlipReference, flip, flipMap, flipMapInSteps, type FlipReference } from './flip';
export { errorMap, paintMap, ssimMap, type ColourRange, type ScalarMap } from './maps';
export { MAGMA } from './magma';
export { chooseRegion, differenceAt } from './choose-region';
export { fromDifferences, mixOf, sharesOf, stacked, toDifferences, unstacked } from './crop-sheet';
export { cropToRegion } from './region';
export { estimateShift, type Shift } from './alignment';
export { noReference, type NoReference } from './no-reference';
export { meanAbsoluteDifference } from './change';
export {
  bootstrapInterval,
  finiteMean,
  isMonotone,
  mean,
  monotoneShare,
  seededRandom,
  type Better,
  type BootstrapOptions,
  type FiniteMean,
  type Interval,
} from './statistics';
