"""Words by which `codes` tells a one-time code from other numbers, by language.

All are in lower case; `*` stands for any further letters. In scripts that are not Latin, Greek or
Cyrillic a word is found within others as well, because prefixes and suffixes are written with it.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

SPACED: Final = "a-z0-9_\u00aa\u00b5\u00ba\u00df-\u024f\u0370-\u052f\u1e00-\u1eff"
"""For a class of a regular expression: Latin, Greek and Cyrillic letters and digits."""
_SPACED: Final = f"[{SPACED}*]"

CODE: Final[Mapping[str, str]] = {
    "English": (
        "code, codes, otp, otps, pin, tpin, mpin, vpin, passcode, password, passkey, one-time, "
        "one time, verification, verify, validation, validate, confirmation, confirm, "
        "authentication, authorization, authorize, authorise, approve, security, activation, "
        "activate, login, log-in, log in, signin, sign-in, sign in, token, 2fa, use, enter"
    ),
    "French": (
        "mot de passe, vérification, authentification, connexion, saisissez, utilisez, entrez"
    ),
    "Spanish": (
        "código, codigo, códigos, clave, contraseña, verificación, confirmación, ingresa, "
        "ingrese, introduce"
    ),
    "Portuguese": "senha, palavra-passe, verificação, confirmação, insira, digite, utilize",
    "Italian": "codice",
    "German, Dutch": (
        "*code, *codes, *passwort, kennwort, wachtwoord, tan, mtan, bestätigung, verwenden"
    ),
    "Swahili": "msimbo, kodi, nywila, siri, thibitisha, uthibitisho, tumia",
    "Luganda": "koodi, kkoodi, ekyama, okukakasa, kozesa, yingiza",
    "Kinyarwanda, Indonesian": "kode, ijambo ry'ibanga, kata sandi",
    "Turkish": "kod, kodu, kodun, kodunuz, şifre, şifreniz, parola",
    "Polish": "kodem, hasło, hasłem",
    "Swedish": "*kod, *koden, lösenord*, engångs*",
    "Vietnamese": "mã, mật khẩu",
    "Russian, Ukrainian": "код*, парол*, пин*, подтверждени*, введите",
    "Arabic": "رمز, كود, كلمة المرور, كلمة السر, الرقم السري, التحقق, التفعيل",
    "Persian": "کد",
    "Urdu": "کوڈ",
    "Thai": "รหัส, พิน",
    "Hindi": "कोड, ओटीपी, पिन, पासवर्ड, सत्यापन",
    "Amharic": "ኮድ, የይለፍ ቃል, ሚስጥር ቁጥር, ማረጋገጫ",
    "Chinese": (
        "验证码, 驗證碼, 校验码, 校驗碼, 动态码, 动态密码, 确认码, 激活码, 取件码, 密码, 密碼, 口令"
    ),
    "Japanese": "コード, 認証番号, 確認番号, 暗証番号, パスワード",
    "Korean": "인증번호, 인증, 코드, 비밀번호",
}
"""Words that introduce a code."""

ITEM: Final[Mapping[str, str]] = {
    "English": ("order, orders, account, acc, acc., acct, acct., a/c, card, cards, ending"),
    "French": "commande, compte, carte, terminant, finissant",
    "Spanish": "pedido, cuenta, tarjeta, terminada, terminación",
    "Portuguese": "encomenda, conta, cartão, final, terminado",
    "Italian": "ordine, conto, carta, terminante",
    "German": ("bestellung, auftrag, konto, kontonummer, *karte, endziffern, endung, endend"),
    "Dutch": "bestelling, rekening, kaart, bankpas, betaalpas, eindigend",
    "Swahili": "agizo, oda, akaunti, kadi, inayoishia",
    "Luganda": "akawunti, kaadi, ekoma",
    "Kinyarwanda": "komande, konti, ikarita, irangira",
    "Indonesian": "pesanan, rekening, kartu, berakhiran",
    "Turkish": "sipariş*, hesap, hesab*, kart, kartı*, biten",
    "Polish": "zamówieni*, konto, konta, kart, karta, karty, karcie, kartę, kartą, kończąc*",
    "Swedish": "order, ordern, beställning*, konto, kontot, kort, kortet",
    "Russian, Ukrainian": (
        "заказ*, замовленн*, счет*, счёт*, рахун*, карт*, заканчива*, оканчива*, закінчу*"
    ),
    "Vietnamese": "đơn hàng, tài khoản, thẻ",
    "Arabic": "طلب, حساب, بطاقة, المنتهية",
    "Persian": "سفارش, حساب, کارت",
    "Urdu": "آرڈر, اکاؤنٹ, کارڈ",
    "Thai": "คำสั่งซื้อ, บัญชี, บัตร, ลงท้าย",
    "Hindi": "ऑर्डर, खाता, खाते, कार्ड",
    "Amharic": "ትዕዛዝ, ሂሳብ, ካርድ",
    "Chinese": "尾号, 尾號, 卡号, 银行卡, 信用卡, 账号, 帐号, 账户, 帐户, 订单号, 订单",
    "Japanese": "注文番号, 注文, 口座, カード, 末尾",
    "Korean": "주문번호, 주문, 계좌, 카드, 끝자리",
}
"""Words for what a message tells from others by a number, or by the last digits of one: cards,
accounts, orders. Directly before such a word, a number is that thing's as well: "your 1234 card".
"""

OTHER: Final[Mapping[str, str]] = {
    "English": (
        "invoice, receipt, ticket, ref, ref., reference, booking, reservation, loan, parcel, "
        "package, shipment, tracking code, tracking, reference code, room, floor, gate, seat, "
        "table, plot, house, apartment, apt, suite, street, road, avenue, box, building, "
        "zip code, zip, postcode, post code, postal code, sort code, area code, country code, "
        "short code, shortcode, promo code, promocode, discount code, coupon, voucher, barcode, "
        "error code, error, status code, response code, exit code, reason code, fault code, "
        "branch code, bank code, product code, item code, ends, transaction, trans, txn, trx, "
        "tid, id, customer, client, member, membership, policy, meter, flight, bus, train, route, "
        "extension, ext, call, dial, phone, telephone, tel, tel., help, helpline, hotline, "
        "support, contact, queries, inquiries, enquiries, assistance, fax, whatsapp, reply, stop, "
        "balance, bal, amount, total, price, cost, fee, fees, pay, paid, payment, deposit, "
        "deposited, withdraw, withdrawal, debited, credited, received, charge, charged, till, "
        "paybill, agent, merchant, terminal, serial, version, build, item, plate, passport, nin, "
        "tin, iban, copyright"
    ),
    "French": (
        "facture, reçu, réf, réf., référence, réservation, colis, chambre, client, solde, "
        "montant, prix, frais, payé, payez, payer, appelez, aide, téléphone, tél, tél., termine, "
        "rue, code postal, code promo, erreur, vol"
    ),
    "Spanish": (
        "factura, recibo, referencia, reserva, paquete, habitación, cliente, transacción, saldo, "
        "monto, importe, precio, pagar, pague, pago, llame, llama, ayuda, teléfono, termina, "
        "calle, avenida, código postal, vuelo"
    ),
    "Portuguese": (
        "fatura, referência, quarto, transação, valor, montante, pagamento, ligue, ajuda, "
        "telefone, rua, cep, erro, voo"
    ),
    "Italian": "importo, fattura, telefono, chiama, aiuto, termina con, errore, pacco",
    "German": (
        "bestellnummer, auftragsnummer, rechnung, rechnungsnummer, buchung, paket, zimmer, "
        "kunde, kundennummer, betrag, kontostand, guthaben, summe, endet, telefon, rufen, hilfe, "
        "straße, postleitzahl, plz, fehlercode, fehler, flug"
    ),
    "Dutch": (
        "bestelnummer, factuur, pakket, kamer, klantnummer, bedrag, eindigt, telefoon, bellen, "
        "hulp, foutcode, postcode"
    ),
    "Swahili": (
        "ankara, risiti, kumbukumbu, chumba, mteja, muamala, salio, kiasi, jumla, lipa, umelipa, "
        "umepokea, piga, simu, msaada, hitilafu, sanduku, mita"
    ),
    "Luganda": "eggwaako, ssente, omuwendo, essimu, obuyambi, lisiiti, sasula, osasudde",
    "Kinyarwanda": "amafaranga, telefone, hamagara, ubufasha",
    "Indonesian": "jumlah, hubungi, telepon, bantuan, berakhir, kesalahan",
    "Turkish": "bakiye, tutar, telefon, yardım, hata kodu, hata",
    "Polish": (
        "rachun*, faktur*, saldo, kwot*, płatnoś*, przelew*, przesył*, paczk*, pokój, rezerwacj*, "
        "transakcj*, klient*, zadzwoń, telefon, pomoc, końcówk*, kończy, błęd*, kod pocztowy"
    ),
    "Swedish": (
        "faktura, saldo, belopp*, betalning*, paket*, bokning*, slutar, ring, telefon, hjälp, "
        "felkod, postnummer, kundnummer"
    ),
    "Russian, Ukrainian": (
        "чек*, баланс*, остаток*, залишок*, сумм*, сум*, телефон*, звоните, позвоните, "
        "зателефонуйте, помощь, комнат*, рейс*, посылк*, посилк*, оплат*, итого, ошибк*, "
        "помилк*, индекс"
    ),
    "Vietnamese": "số dư, số tiền, hóa đơn, giao dịch, kết thúc, đuôi, gọi, hỗ trợ, lỗi",
    "Arabic": (
        "فاتورة, تنتهي, ينتهي, رصيد, مبلغ, اتصل, هاتف, مساعدة, مرجع, الرمز البريدي, رمز الخطأ, "
        "غرفة, شحنة"
    ),
    "Persian": "منتهی به, مبلغ, موجودی, تماس, تلفن, فاکتور, خطا",
    "Urdu": "ختم ہو, بیلنس, فون نمبر",
    "Thai": "ยอดเงิน, ยอดคงเหลือ, จำนวนเงิน, โทร, ติดต่อ, พัสดุ, ห้อง, รหัสไปรษณีย์, ข้อผิดพลาด",
    "Hindi": "बैलेंस, शेष, राशि, कॉल, फोन, सहायता, समाप्त, बुकिंग, त्रुटि कोड",
    "Amharic": "ቀሪ, ስልክ, ይደውሉ, እርዳታ, ክፍል, መጠን, ደረሰኝ",
    "Chinese": (
        "单号, 快递, 电话, 手机, 热线, 客服, 致电, 拨打, 余额, 金额, 房间, 编号, 流水号, 邮编"
    ),
    "Japanese": "電話, 郵便番号, 残高, エラーコード, バーコード",
    "Korean": "전화, 잔액, 오류 코드",
}
"""Words that mean yet another number: of a phone, an address, an error; an amount."""

MONEY: Final = (
    "ugx, ush, ushs, sh, shs, kes, ksh, kshs, tzs, tsh, tshs, rwf, frw, bif, etb, birr, ngn, "
    "naira, ghs, zar, usd, us$, eur, gbp, inr, rs, cny, rmb, aed, sar, egp, xaf, xof, fcfa, "
    "cfa, f cfa, pln, zł, sek, vnd, đồng, thb, บาท, uah, грн, idr, brl, r$, mxn, jpy, krw, rub, "
    "руб*, ريال, جنيه, درهم, دينار, دولار, شلن, रुपये, रु, ብር, 元, 円, 원, 人民币"
)
"""Directly before or after an amount."""
UNITS: Final = (
    "shilling, shillings, dollar, dollars, euro, euros, rupees, pesos, reais, francs, siringi, "
    "%, ٪, ％, /=, /-, °, hrs, h, hour, hours, heures, horas, stunden, saa, часов, min, mins, "
    "minute, minutes, minutos, minuten, dakika, dakikika, минут*, sec, secs, second, seconds, "
    "segundos, sekunden, sekunde, секунд*, day, days, jours, días, dias, tage, siku, дней, uhr, "
    "pm, p.m., a.m., mb, mbs, gb, gbs, kb, km, kg, kwh, unit, units, point, points, pts, "
    "puntos, pontos, punkte, alama, баллов, г., года, 年, 分钟, 分鐘, 秒, 积分, دقيقة, "
    "دقائق, मिनट, ደቂቃ"
)
"""Directly after a number: it is a quantity."""
NUMBER_WORDS: Final = (
    "no, no., nos, number, numbers, num, nr, nr., n°, nº, №, numéro, número, nummer, nambari, "
    "namba, ennamba, nomor, numer, номер, số, in, with, on, of, the, your, par, de, en, em, auf, "
    "op, på, się, na, на, ya, yenye, رقم, بـ, ب, شماره, نمبر, नंबर, ቁጥር, หมายเลข, เลขที่, ด้วย, "
    "号, 號, 为, 是"
)
"""Between a word and its number: "order no. 55512", "ending in 1234"."""
IS: Final = (
    "is, are, was, will be, ni, ye, eri, est, es, é, è, ist, lautet, luidt, adalah, brzmi, är, є, "
    "là, هو, هي, است, ہے, คือ, है, ነው, 是, 为, 為, は, 는, 은"
)
"""Directly before a code that was announced, or between it and the word for it.

Without Polish "to", which is English as well: "paid 5000 to 4421".
"""
DATE_WORDS: Final = (
    "jan, january, janvier, enero, janeiro, januar, feb, february, février, febrero, fevereiro, "
    "februar, mar, march, mars, marzo, março, märz, apr, april, avril, abril, may, mai, mayo, "
    "maio, jun, june, juin, junio, junho, juni, jul, july, juillet, julio, julho, juli, aug, "
    "august, août, agosto, sep, sept, september, septembre, septiembre, setembro, oct, october, "
    "octobre, octubre, outubro, oktober, nov, november, novembre, noviembre, novembro, dec, "
    "december, décembre, diciembre, dezembro, dezember, in, since, of, by, until, till, on, "
    "from, ©, (c), de, del, en, em, im, seit, bis, depuis, mwaka, года"
)
"""Directly before a year."""
TIME_WORDS: Final = "at, um, à, a las, às, saa, в"
"""Directly before a time of the day."""


def pattern(words: str) -> str:
    """Return the regular expression for one of the words of a list."""
    groups: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for word in sorted(map(str.strip, words.split(",")), key=len, reverse=True):
        # A word does not begin or end within another one.
        before = r"\b" if re.match(_SPACED, word) else ""
        after = r"\b" if re.search(f"{_SPACED}$", word) else ""
        body = re.escape(word).replace(r"\*", r"\w*").replace(r"\ ", r"\s")
        groups[before, after].append(body)
    # Those that end in punctuation first: of "ref." and "ref", the longer one.
    return "|".join(
        f"{before}(?:{'|'.join(bodies)}){after}"
        for (before, after), bodies in sorted(groups.items(), key=lambda each: each[0][1])
    )


def all_of(*lists: Mapping[str, str]) -> str:
    """Return the words of all languages as one list."""
    return ", ".join(words for each in lists for words in each.values())
