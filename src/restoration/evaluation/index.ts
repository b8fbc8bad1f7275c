export { findPairs, type Pair, type PairList } from './pairs';
export { evaluate, type EvaluationOptions, type EvaluationProgress } from './evaluate';
export {
  TOLERANCE,
  composeReport,
  type EvaluatedItem,
  type EvaluationReport,
  type EvaluationSubject,
  type FrameMeans,
  type FrameMetrics,
  type ItemResult,
} from './report';
