export { CHANNELS, assertSameSize, type Pixels } from './pixels';
export { greyToRgb, luma, lumaOf } from './colour';
export { lumaPlane, rgbPlane, type Plane } from './plane';
export { meanSquaredError, psnr, psnrOfError } from './psnr';
export { WINDOW, ssim } from './ssim';
export { createReference, measurePair, type PairMetrics, type ProtocolOptions, type Reference } from './protocols';
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
