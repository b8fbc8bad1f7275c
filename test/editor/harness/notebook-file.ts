/** The text of an `.ipynb` with one code cell for each source. */
export function typescriptNotebook(sources: string[]): string {
  return JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {
      kernelspec: { name: 'tslab', display_name: 'TypeScript', language: 'typescript' },
      language_info: { name: 'typescript' },
    },
    cells: sources.map((source, index) => ({
      cell_type: 'code',
      id: `cell-${index}`,
      metadata: {},
      source: source.split(/(?<=\n)/),
      outputs: [],
      execution_count: null,
    })),
  });
}
