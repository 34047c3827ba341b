// The states and union territories of India by their GST codes, which begin every GSTIN, with the names and
// abbreviations that people write. Former names stay, since addresses are old.
const STATES: Readonly<Record<string, readonly string[]>> = {
  '01': ['Jammu and Kashmir', 'JK', 'J&K'],
  '02': ['Himachal Pradesh', 'HP'],
  '03': ['Punjab', 'PB'],
  '04': ['Chandigarh', 'CH'],
  '05': ['Uttarakhand', 'UK', 'UA', 'UT', 'Uttaranchal'],
  '06': ['Haryana', 'HR'],
  '07': ['Delhi', 'DL', 'New Delhi', 'NCT of Delhi', 'National Capital Territory of Delhi'],
  '08': ['Rajasthan', 'RJ'],
  '09': ['Uttar Pradesh', 'UP'],
  '10': ['Bihar', 'BR', 'BH'],
  '11': ['Sikkim', 'SK'],
  '12': ['Arunachal Pradesh', 'AR'],
  '13': ['Nagaland', 'NL'],
  '14': ['Manipur', 'MN'],
  '15': ['Mizoram', 'MZ', 'MI'],
  '16': ['Tripura', 'TR'],
  '17': ['Meghalaya', 'ML', 'ME'],
  '18': ['Assam', 'AS'],
  '19': ['West Bengal', 'WB'],
  '20': ['Jharkhand', 'JH'],
  '21': ['Odisha', 'OD', 'OR', 'Orissa'],
  '22': ['Chhattisgarh', 'CG', 'CT', 'Chattisgarh'],
  '23': ['Madhya Pradesh', 'MP'],
  '24': ['Gujarat', 'GJ'],
  '26': [
    'Dadra and Nagar Haveli and Daman and Diu',
    'DH',
    'DNHDD',
    'Dadra and Nagar Haveli',
    'DN',
    'Daman and Diu',
    'DD',
  ],
  '27': ['Maharashtra', 'MH'],
  '29': ['Karnataka', 'KA'],
  '30': ['Goa', 'GA'],
  '31': ['Lakshadweep', 'LD'],
  '32': ['Kerala', 'KL'],
  '33': ['Tamil Nadu', 'TN', 'Tamilnadu'],
  '34': ['Puducherry', 'PY', 'Pondicherry'],
  '35': ['Andaman and Nicobar Islands', 'AN', 'Andaman and Nicobar'],
  '36': ['Telangana', 'TS', 'TG'],
  '37': ['Andhra Pradesh', 'AP', 'AD'],
  '38': ['Ladakh', 'LA'],
}

// Two territories that were joined, and the code of Andhra Pradesh before it was divided.
const FORMER: Readonly<Record<string, string>> = { '25': '26', '28': '37' }

const CODES = new Map(
  Object.entries(STATES).flatMap(([code, names]) => names.map((name) => [plain(name), code])),
)

type Place = { gstin?: string | null | undefined; state?: string | null | undefined }

/**
 * The GST code of a place, told by its GSTIN before its state's name, code or abbreviation. What is none of them
 * stands for itself, so that two who write the same are in the same place; null where nothing is said.
 */
export function stateOf({ gstin, state }: Place): string | null {
  const code = codeOf(gstin?.trim().slice(0, 2) ?? '')
  if (code !== null) return code
  const name = plain(state ?? '')
  if (name === '') return null
  return CODES.get(name) ?? codeOf(name) ?? name
}

function codeOf(digits: string): string | null {
  const code = FORMER[digits] ?? digits.padStart(2, '0')
  return digits !== '' && Object.hasOwn(STATES, code) ? code : null
}

function plain(name: string): string {
  return name
    .toLowerCase()
    .replace(/&/g, ' and ')
    .replace(/[^a-z0-9]+/g, ' ')
    .trim()
}
