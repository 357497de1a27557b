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
        "authentication, authorization, security, activation, activate, login, log-in, log in, "
        "signin, sign-in, sign in, token, 2fa, use, enter"
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
    "Turkish, Polish, Swedish": "kod, kodu, kodun, kodunuz, şifre, şifreniz, parola, hasło",
    "Russian, Ukrainian": "код*, парол*, пин*, подтверждени*, введите",
    "Arabic": "رمز, كود, كلمة المرور, كلمة السر, الرقم السري, التحقق, التفعيل",
    "Persian, Urdu": "کد, کوڈ",
    "Hindi": "कोड, ओटीपी, पिन, पासवर्ड, सत्यापन",
    "Amharic": "ኮድ, የይለፍ ቃል, ሚስጥር ቁጥር, ማረጋገጫ",
    "Chinese": (
        "验证码, 驗證碼, 校验码, 校驗碼, 动态码, 动态密码, 确认码, 激活码, 取件码, 密码, 密碼, 口令"
    ),
    "Japanese": "コード, 認証番号, 確認番号, 暗証番号, パスワード",
    "Korean": "인증번호, 인증, 코드, 비밀번호",
}
"""Words that introduce a code."""

OTHER: Final[Mapping[str, str]] = {
    "English": (
        "order, orders, invoice, receipt, ticket, ref, ref., reference, booking, reservation, "
        "parcel, package, shipment, tracking code, tracking, reference code, room, floor, gate, "
        "seat, table, plot, house, apartment, apt, suite, street, road, avenue, box, building, "
        "zip code, zip, postcode, post code, postal code, sort code, area code, country code, "
        "short code, shortcode, promo code, promocode, discount code, coupon, voucher, barcode, "
        "account, acc, acc., acct, acct., a/c, card, cards, ending, ends, transaction, trans, "
        "txn, trx, tid, id, customer, client, member, membership, loan, policy, meter, flight, "
        "bus, train, route, extension, ext, call, dial, phone, telephone, tel, tel., helpline, "
        "hotline, fax, whatsapp, reply, stop, balance, bal, amount, total, price, cost, fee, "
        "fees, pay, paid, payment, deposit, deposited, withdraw, withdrawal, debited, credited, "
        "received, charge, charged, till, paybill, agent, merchant, terminal, serial, version, "
        "build, item, plate, passport, nin, tin, iban, copyright"
    ),
    "French": (
        "commande, facture, reçu, réf, réf., référence, réservation, colis, chambre, compte, "
        "carte, client, solde, montant, prix, frais, payé, payez, payer, appelez, téléphone, "
        "tél, tél., terminant, finissant, rue, code postal, code promo, vol"
    ),
    "Spanish": (
        "pedido, factura, recibo, referencia, reserva, paquete, habitación, cuenta, tarjeta, "
        "cliente, transacción, saldo, monto, importe, precio, pagar, pague, pago, llame, llama, "
        "teléfono, terminada, terminación, termina, calle, avenida, código postal, vuelo"
    ),
    "Portuguese": (
        "fatura, referência, encomenda, quarto, conta, cartão, transação, valor, montante, "
        "pagamento, ligue, telefone, final, terminado, rua, cep, voo"
    ),
    "Italian": "ordine, conto, carta, importo, fattura, telefono",
    "German": (
        "bestellung, bestellnummer, auftrag, auftragsnummer, rechnung, rechnungsnummer, "
        "buchung, paket, zimmer, konto, kontonummer, *karte, kunde, kundennummer, betrag, "
        "kontostand, guthaben, summe, endziffern, endung, endet, telefon, rufen, straße, "
        "postleitzahl, plz, flug"
    ),
    "Swahili": (
        "agizo, oda, ankara, risiti, kumbukumbu, chumba, akaunti, kadi, mteja, muamala, salio, "
        "kiasi, jumla, lipa, umelipa, umepokea, piga, simu, inayoishia, sanduku, mita"
    ),
    "Luganda": (
        "akawunti, kaadi, ekoma, eggwaako, ssente, omuwendo, essimu, lisiiti, sasula, osasudde"
    ),
    "Indonesian": "pesanan, rekening, kartu, jumlah, hubungi, telepon",
    "Turkish": "sipariş, siparişiniz, hesap, kart, kartınız, bakiye, tutar, biten",
    "Russian, Ukrainian": (
        "заказ*, счет*, счёт*, карт*, чек*, баланс*, остаток*, сумм*, телефон*, звоните, "
        "позвоните, комнат*, рейс*, посылк*, оплат*, итого, индекс"
    ),
    "Arabic": (
        "طلب, فاتورة, حساب, بطاقة, المنتهية, تنتهي, ينتهي, رصيد, مبلغ, اتصل, هاتف, مرجع, "
        "الرمز البريدي, غرفة, شحنة"
    ),
    "Hindi": "ऑर्डर, खाता, खाते, कार्ड, बैलेंस, शेष, राशि, कॉल, फोन, समाप्त, बुकिंग",
    "Amharic": "ትዕዛዝ, ሂሳብ, ካርድ, ቀሪ, ስልክ, ይደውሉ, ክፍል, መጠን, ደረሰኝ",
    "Chinese": (
        "尾号, 尾號, 卡号, 账号, 帐号, 账户, 帐户, 订单号, 订单, 单号, 快递, 电话, 手机, 热线, "
        "客服, 致电, 拨打, 余额, 金额, 房间, 编号, 流水号, 邮编"
    ),
    "Japanese": "注文番号, 注文, 電話, 郵便番号, 口座, 末尾, 残高",
    "Korean": "주문번호, 주문, 전화, 계좌, 잔액, 카드",
}
"""Words that mean another number: of an order, a card, a phone, an address; an amount."""

MONEY: Final = (
    "ugx, ush, ushs, sh, shs, kes, ksh, kshs, tzs, tsh, tshs, rwf, frw, bif, etb, birr, ngn, "
    "naira, ghs, zar, usd, us$, eur, gbp, inr, rs, cny, rmb, aed, sar, egp, xaf, xof, fcfa, "
    "cfa, f cfa, brl, r$, mxn, jpy, krw, rub, руб*, ريال, جنيه, درهم, دينار, دولار, شلن, रुपये, "
    "रु, ብር, 元, 円, 원, 人民币"
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
    "namba, ennamba, номер, in, with, on, of, the, your, par, de, en, em, auf, na, ya, yenye, "
    "رقم, بـ, ب, नंबर, ቁጥር, 号, 號, 为, 是"
)
"""Between a word and its number: "order no. 55512", "ending in 1234"."""
IS: Final = (
    "is, are, was, will be, ni, ye, eri, est, es, é, è, ist, lautet, adalah, هو, هي, है, 是, "
    "为, 為, は, 는, 은"
)
"""Directly before a code that was announced, or between it and the word for it."""
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


def all_of(words: Mapping[str, str]) -> str:
    """Return the words of all languages as one list."""
    return ", ".join(words.values())
