/** The rows of a strip's table (header first) as a table in Markdown. */
export function markdownTable([head = [], ...body]: string[][]): string {
  const line = (cells: string[]): string =>
    `| ${cells.map((cell) => cell.replace(/[\\|]/g, '\\$&').replace(/\s+/g, ' ')).join(' | ')} |`;
  return `${[line(head), `|${head.map((_, at) => (at === 0 ? ' --- |' : ' ---: |')).join('')}`, ...body.map(line)].join('\n')}\n`;
}

/** The same as comma-separated values (RFC 4180), with plain hyphens as minus signs, for programs. */
export function csvTable(rows: string[][]): string {
  const quote = (cell: string): string => {
    const text = cell.replaceAll('\u2212', '-');
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => `${row.map(quote).join(',')}\r\n`).join('');
}

/** A text as a data URL. */
export function textDataUrl(type: 'text/markdown' | 'text/csv', text: string): string {
  const bytes = new TextEncoder().encode(text);
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return `data:${type};base64,${btoa(binary)}`;
}
