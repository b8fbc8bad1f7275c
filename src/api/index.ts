export { restore, DEFAULT_MODEL, type RestoreOptions } from './restore';
export { strip, type StripOptions } from './strip';
export { metrics, type MetricsOptions } from './metrics';
export { evaluate, type EvaluateOptions } from './evaluate';
export type { EvaluationProgress, EvaluationReport } from '../restoration/evaluation';
export { devices } from './devices';
export { Run, Frame, type Picture, type RunMetrics, type SavedRun } from './run';
export { shutdown } from './session';
export {
  RestorationError,
  DEVICES,
  METRIC_PROTOCOLS,
  RUN_MIME,
  RUN_SCHEMA,
  TASKS,
  isRunRecord,
  severityOf,
  type ConcreteDevice,
  type Device,
  type DeviceReport,
  type ErrorCode,
  type FrameRecord,
  type Measurement,
  type MetricProtocol,
  type MetricValue,
  type Region,
  type RunRecord,
  type Stage,
  type Task,
} from '../protocol';
export type { Progress } from '../inference/client';
