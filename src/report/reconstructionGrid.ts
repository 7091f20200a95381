import { GREY } from './canvas.js';
import { type Lettering, loadLettering, type TextMask } from './lettering.js';
import { CAPTION_SIZE, LABEL_SIZE, layOutPage, type Page, type PageText, writeText } from './page.js';
import { countImages, drawTile, GAP, type ImageShape, requireImages, tileScale } from './tiles.js';

export interface ReconstructionGridOptions extends ImageShape, PageText {
  /** Examples side by side; default 10. */
  readonly columns?: number;
  /** Below each example, e.g. its ELBO. */
  readonly captions?: readonly string[];
  /** Left of the captions, e.g. `ELBO (nats)`. */
  readonly captionLabel?: string;
}

/** Left of the rows, pixels between label and tile. */
const LABEL_GAP = 12;
const CAPTION_HEIGHT = 22;
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
  const { captions } = options;
  if (captions && captions.length !== count) {
    throw new Error(`There are ${captions.length} captions, but ${count} are needed.`);
  }
  const lettering = await loadLettering();
  const plan = planBlocks(lettering, count, options);
  const page = layOutPage(lettering, options, plan.width, plan.height);
  for (let block = 0; block < plan.blocks; block++) writeRowLabels(page, plan, block);
  for (let i = 0; i < count; i++) {
    const block = Math.floor(i / plan.columns);
    const x = page.left + plan.labelWidth + (i % plan.columns) * plan.pitchX;
    const y = page.top + block * plan.pitchBlock;
    // A caption may be wider than its tile.
    const left = x + Math.floor((plan.pitchX - GAP - plan.tileWidth) / 2);
    drawTile(page.canvas, originals, i, options, plan.scale, left, y);
    drawTile(page.canvas, reconstructions, i, options, plan.scale, left, y + plan.tileHeight + GAP);
    const caption = plan.captions[i];
    if (caption) {
      const captionY = y + plan.captionTop;
      writeText(page.canvas, caption, x + (plan.pitchX - GAP) / 2, captionY, 'center', GREY);
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
  readonly captions: readonly TextMask[];
  /** The captions' middle, from the block's top. */
  readonly captionTop: number;
  readonly pitchX: number;
  readonly pitchBlock: number;
  readonly width: number;
  readonly height: number;
}

function planBlocks(lettering: Lettering, count: number, options: ReconstructionGridOptions): BlockPlan {
  const columns = Math.max(Math.min(options.columns ?? 10, count), 1);
  const blocks = Math.ceil(count / columns);
  const scale = tileScale(columns, 2 * blocks, options);
  const tileWidth = options.width * scale;
  const tileHeight = options.height * scale;
  const captions = (options.captions ?? []).map((text) => lettering.line(text, CAPTION_SIZE));
  const rowsHeight = 2 * tileHeight + GAP;
  const captionTop = rowsHeight + CAPTION_HEIGHT / 2;
  const labels = [
    { mask: lettering.line('input', LABEL_SIZE), middle: tileHeight / 2 },
    { mask: lettering.line('reconstruction', LABEL_SIZE), middle: GAP + 1.5 * tileHeight },
  ];
  if (captions.length > 0 && options.captionLabel !== undefined) {
    labels.push({ mask: lettering.line(options.captionLabel, CAPTION_SIZE), middle: captionTop });
  }
  const labelWidth = Math.max(...labels.map(({ mask }) => mask.width)) + LABEL_GAP;
  const pitchX = Math.max(tileWidth + GAP, ...captions.map((mask) => mask.width + 8));
  const blockHeight = rowsHeight + (captions.length > 0 ? CAPTION_HEIGHT : 0);
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
    captionTop,
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
