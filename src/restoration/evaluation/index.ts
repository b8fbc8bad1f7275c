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
export { listPictures, type ListedPicture } from './list-pictures';
export { matchNames, type AmbiguousMatch, type NameMatches } from './match-names';
export { clipRule, type ClipRule } from './clips';
export {
  composeComparison,
  type ComparisonReport,
  type FolderReport,
  type PairedDifference,
  type PictureMetrics,
} from './compare';
export {
  evaluateResults,
  labelFolders,
  planResults,
  type ResultFolder,
  type ResultPair,
  type ResultPlan,
  type ResultsProgress,
} from './results';
export { RowLog, ROWS_FILE, encodeLine, parseRowLog, type Configuration } from './row-log';
export { fingerprintOf, isFrameMetrics, isItemResult, resultsByName, type ItemRow } from './rows';
export { REPORT_FILE, RowStore } from './resumable';
export { TABLE_FORMATS, renderTable, tableFormat, type TableFormat } from './tables';
