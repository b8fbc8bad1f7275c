export * from './pixels';
export * from './limits';
export * from './decode';
export * from './encode';
export * from './files';
export * from './bicubic';
export * from './thumbnail';
