import { GREY } from './canvas.js';
import { type TextMask, textLine } from './lettering.js';
import { CAPTION_SIZE, LABEL_SIZE, layOutPage, type Page, type PageText, writeText } from './page.js';
import { countImages, drawTile, GAP, type ImageShape, requireImages, tileScale } from './tiles.js';

export interface ReconstructionGridOptions extends ImageShape, PageText {
  /** Examples side by side; default 10. */
  readonly columns?: number;
  /** Lines below the examples. */
  readonly captions?: readonly CaptionLine[];
}

/** What stands below each example, e.g. its ELBO. */
export interface CaptionLine {
  /** Left of the line, e.g. `ELBO (nats)`. */
  readonly label: string;
  /** One an example. */
  readonly texts: readonly string[];
}

/** Left of the rows, pixels between label and tile. */
const LABEL_GAP = 12;
const CAPTION_HEIGHT = 20;
/** Between one pair of rows and the next. */
const BLOCK_GAP = 14;

/**
 * Pairs of rows: inputs, and below each its reconstruction.
 * @param originals [n, height, width, channels], in [0, 1].
 * @param reconstructions of the same shape.
 * @returns a PNG.
 * @throws Error where the two, the shape or the captions do not fit together.
 */
export async function reconstructionGrid(
  originals: Float32Array,
  reconstructions: Float32Array,
  options: ReconstructionGridOptions,
): Promise<Uint8Array> {
  const count = countImages(originals, options, 'inputs');
  requireImages(reconstructions, options, 'reconstructions', count);
  for (const { label, texts } of options.captions ?? []) {
    if (texts.length !== count) {
      const found = texts.length === 1 ? 'is 1 caption' : `are ${texts.length} captions`;
      throw new Error(`There ${found} of ${label}, but ${count} are needed.`);
    }
  }
  const plan = planBlocks(count, options);
  const page = layOutPage(options, plan.width, plan.height);
  for (let block = 0; block < plan.blocks; block++) writeRowLabels(page, plan, block);
  for (let i = 0; i < count; i++) {
    const block = Math.floor(i / plan.columns);
    const x = page.left + plan.labelWidth + (i % plan.columns) * plan.pitchX;
    const y = page.top + block * plan.pitchBlock;
    // A caption may be wider than its tile.
    const left = x + Math.floor((plan.pitchX - GAP - plan.tileWidth) / 2);
    drawTile(page.canvas, originals, i, options, plan.scale, left, y);
    drawTile(page.canvas, reconstructions, i, options, plan.scale, left, y + plan.tileHeight + GAP);
    for (const { masks, middle } of plan.captions) {
      writeText(page.canvas, masks[i]!, x + (plan.pitchX - GAP) / 2, y + middle, 'center', GREY);
    }
  }
  return page.canvas.png();
}

interface BlockPlan {
  readonly columns: number;
  readonly blocks: number;
  readonly scale: number;
  readonly tileWidth: number;
  readonly tileHeight: number;
  readonly labels: readonly { readonly mask: TextMask; readonly middle: number }[];
  readonly labelWidth: number;
  /** Each with its middle, from the block's top. */
  readonly captions: readonly { readonly masks: readonly TextMask[]; readonly middle: number }[];
  readonly pitchX: number;
  readonly pitchBlock: number;
  readonly width: number;
  readonly height: number;
}

function planBlocks(count: number, options: ReconstructionGridOptions): BlockPlan {
  const columns = Math.max(Math.min(options.columns ?? 10, count), 1);
  const blocks = Math.ceil(count / columns);
  const scale = tileScale(columns, 2 * blocks, options);
  const tileWidth = options.width * scale;
  const tileHeight = options.height * scale;
  const rowsHeight = 2 * tileHeight + GAP;
  const captionLines = options.captions ?? [];
  const captions = captionLines.map(({ texts }, line) => ({
    masks: texts.map((text) => textLine(text, CAPTION_SIZE)),
    middle: rowsHeight + (line + 0.5) * CAPTION_HEIGHT + 2,
  }));
  const labels = [
    { mask: textLine('input', LABEL_SIZE), middle: tileHeight / 2 },
    { mask: textLine('reconstruction', LABEL_SIZE), middle: GAP + 1.5 * tileHeight },
    ...captionLines.map(({ label }, line) => ({
      mask: textLine(label, CAPTION_SIZE),
      middle: captions[line]!.middle,
    })),
  ];
  const labelWidth = Math.max(...labels.map(({ mask }) => mask.width)) + LABEL_GAP;
  const pitchX = Math.max(
    tileWidth + GAP,
    ...captions.flatMap(({ masks }) => masks.map(({ width }) => width + 8)),
  );
  const blockHeight = rowsHeight + captions.length * CAPTION_HEIGHT;
  const pitchBlock = blockHeight + BLOCK_GAP;
  return {
    columns,
    blocks,
    scale,
    tileWidth,
    tileHeight,
    labels,
    labelWidth,
    captions,
    pitchX,
    pitchBlock,
    width: labelWidth + columns * pitchX - GAP,
    height: blocks * pitchBlock - BLOCK_GAP,
  };
}

function writeRowLabels(page: Page, plan: BlockPlan, block: number): void {
  const right = page.left + plan.labelWidth - LABEL_GAP;
  for (const { mask, middle } of plan.labels) {
    writeText(page.canvas, mask, right, page.top + block * plan.pitchBlock + middle, 'right');
  }
}
