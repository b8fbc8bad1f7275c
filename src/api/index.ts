export { restore, DEFAULT_MODEL, type AdapterOption, type RestoreOptions } from './restore';
export { strip, type StripOptions } from './strip';
export { compare, Comparison, type CompareOptions } from './compare';
export { metrics, noReference, readMap, type MetricsOptions } from './metrics';
export type { NoReference, ScalarMap } from '../measure';
export { evaluate, type EvaluateOptions } from './evaluate';
export type { EvaluationProgress, EvaluationReport } from '../restoration/evaluation';
export { evaluateResults, type EvaluateResultsOptions } from './evaluate-results';
export type { ComparisonReport, FolderReport, PairedDifference, ResultsProgress } from '../restoration/evaluation';
export { renderTable, type TableFormat } from '../restoration/evaluation';
export { detective, type DetectiveOptions, type DetectiveReport, type FolderFindings } from './detective';
export { figure, Figure, type FigureOptions } from './figure';
export { curves, Curves, type CurvesOptions } from './curves';
export type { CurvePoint, CurveSeries, MeasuredClip, MetricCurve } from '../restoration/report/curve-statistics';
export { crossFade, type CrossFadeOptions } from './cross-fade';
export { degrade, degradePath, DegradedPicture, type DegradeOptions } from './degrade';
export {
  progression,
  Progression,
  type DataSetFailure,
  type DataSetSample,
  type DataSetStep,
  type DataSetSummary,
  type ProgressionOptions,
  type SamplePrompt,
  type SourcePicture,
} from './progression';
export { devices } from './devices';
export { describe, detect, type DescribeOptions } from './look';
export type { DescriptionEndpoint } from '../restoration/prompts/endpoint';
export {
  models,
  addModel,
  listModels,
  previewModel,
  removeModel,
  verifyModels,
  type AddModelOptions,
  type ChannelKind,
  type FileCheck,
  type ModelCheck,
  type ModelEntry,
  type ModelOffer,
  type ModelPreview,
  type ModelProgress,
  type ModelTrial,
  type NetworkHints,
} from './models';
export { Run, Frame, type Picture, type Preview, type RunMetrics, type SaveAsOptions, type SavedRun } from './run';
export { shutdown } from './session';
export {
  RestorationError,
  DEVICES,
  GUIDANCE_KINDS,
  METRICS,
  METRIC_PROTOCOLS,
  RUN_MIME,
  RUN_SCHEMA,
  SCHEDULERS,
  TASKS,
  isRunRecord,
  severityOf,
  type AdapterField,
  type AdapterRecord,
  type ConcreteDevice,
  type Degradation,
  type DegradationWishes,
  type Device,
  type DegradationGuess,
  type DeviceReport,
  type DiffusionRecord,
  type DiffusionWish,
  type ErrorCode,
  type Fit,
  type FrameRecord,
  type GuidanceKind,
  type AlignmentReport,
  type MapFiles,
  type MapKind,
  type Measurement,
  type Metric,
  type MetricProtocol,
  type MetricValue,
  type PictureDepth,
  type PictureFormat,
  type PreviewRecord,
  type Region,
  type RunRecord,
  type SavedPicture,
  type SchedulerKind,
  type Stage,
  type Task,
} from '../protocol';
export type { Progress } from '../inference/client';
